"""A trained tagger for other programs: ONNX or torch.export, and the format of model hubs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from annotate.finetuned.folder import ARCHITECTURE, Made, load_net
from annotate.preparation import GREY
from annotate.taggers import CALIBRATION, read_calibrations
from finetune.tagger.calibrated import content
from garments.errors import BadInput, DatasetError, ModelError
from garments.extras import expect_installed
from garments.modelfolder import CARD
from garments.whole import in_place_of, write_whole

Format = Literal["onnx", "torch.export"]

ENDINGS: dict[Format, str] = {"onnx": ".onnx", "torch.export": ".pt2"}

HUB_FILES = ("config.json", "model.safetensors", CALIBRATION, "metrics.json")


def export_model(folder: Path, out: Path, kind: Format) -> tuple[Path, Path]:
    """Write the network and, beside it as JSON, how to feed and to read it; both paths.

    The network takes `pixels` (N, 3, side, side), float32 in [0, 255], any N, and gives `logits`
    (N, L). `ModelError` where the folder is damaged or the exporter fails.
    """
    net, made = load_net(folder)
    path, notes = out.with_suffix(ENDINGS[kind]), out.with_suffix(".json")
    example = torch.full((2, 3, made.backbone.side, made.backbone.side), float(GREY))
    write: dict[Format, Callable[[nn.Module, torch.Tensor, Path], None]] = {
        "onnx": _onnx,
        "torch.export": _torch,
    }
    try:
        with in_place_of(path) as temporary:
            write[kind](net.eval(), example, temporary)
        write_whole(notes, json.dumps(_notes(folder, made), indent=2) + "\n")
    except OSError as error:
        raise DatasetError(
            f"expected to write {path}, but {error.strerror or error}; make room there"
        ) from error
    return path, notes


def _onnx(net: nn.Module, example: torch.Tensor, path: Path) -> None:
    expect_installed("ONNX", "train", "onnx", "onnxscript")
    try:
        torch.onnx.export(
            net,
            (example,),
            str(path),
            input_names=["pixels"],
            output_names=["logits"],
            dynamic_shapes={"pixels": {0: torch.export.Dim("batch")}},
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    except OSError:
        raise
    except Exception as error:  # the exporter raises whatever an operation lacks
        raise ModelError(_failed("ONNX", error)) from error


def _torch(net: nn.Module, example: torch.Tensor, path: Path) -> None:
    try:
        shapes = {"pixels": {0: torch.export.Dim("batch")}}
        program = torch.export.export(net, (example,), dynamic_shapes=shapes)
        torch.export.save(program, path)
    except OSError:
        raise
    except Exception as error:  # as above
        raise ModelError(_failed("torch.export", error)) from error


def _failed(kind: str, error: Exception) -> str:
    first = str(error).strip().splitlines()[:1]
    return (
        f"expected to export the network as {kind}, but {''.join(first) or type(error).__name__}; "
        "choose the other format, or another backbone"
    )


def _notes(folder: Path, made: Made) -> dict[str, Any]:
    """All that somebody without this project needs."""
    places = made.layout.slices()
    return {
        "model": folder.name,
        "input": {
            "name": "pixels",
            "shape": ["N", 3, made.backbone.side, made.backbone.side],
            "type": "float32 in [0, 255], RGB",
            "fit": f"the whole crop, proportions kept, centred, padded with grey {GREY}",
            "background": f"what is not the garment: {made.background}",
        },
        "heads": [
            {
                "attribute": head.attribute,
                "values": list(head.values),
                "logits": [places[head.attribute].start, places[head.attribute].stop],
                "activation": str(head.activation),
            }
            for head in made.layout.heads
        ],
        "calibration": content(read_calibrations(folder)),
        "trained_on": dict(made.trained_on),
    }


def hub_files(folder: Path, licence: str) -> dict[str, bytes]:
    """What is uploaded to a model hub, by name: the folder, its card with the hub's front matter.

    `load_tagger("dir:FOLDER")` reads what is downloaded again. `ModelError` where it is damaged.
    """
    _, made = load_net(folder)
    if not licence.strip():
        raise BadInput(
            "expected a licence for the model, such as apache-2.0 or other, but got none; the "
            "licences of its photos stand in its card: name one by --licence"
        )
    front = [
        "---",
        "library_name: garmentloop",
        "pipeline_tag: image-classification",
        f"license: {licence.strip()}",
        "tags:",
        *(f"- {tag}" for tag in ("fashion", "garment-attributes", ARCHITECTURE)),
        f"base_model: {made.backbone.reference.partition(':')[2]}"
        if made.backbone.reference.startswith("hf:")
        else "",
        "---",
    ]
    card = "\n".join(line for line in front if line) + "\n\n"
    card += (folder / CARD).read_text(encoding="utf-8")
    found = {name: (folder / name).read_bytes() for name in HUB_FILES if (folder / name).is_file()}
    return {**found, CARD: card.encode()}


def push_to_hub(
    folder: Path, repository: str, licence: str, private: bool = True, api: Any = None
) -> str:
    """Upload a trained tagger to OWNER/NAME on the Hugging Face hub; where it can be seen there.

    `api` is a `huggingface_hub.HfApi`, by default one with the token of this machine. `ModelError`
    where the hub cannot be reached or refuses.
    """
    from huggingface_hub import CommitOperationAdd, HfApi

    files, hub = hub_files(folder, licence), api or HfApi()
    try:
        url = hub.create_repo(repository, repo_type="model", private=private, exist_ok=True)
        hub.create_commit(
            repository,
            [CommitOperationAdd(name, data) for name, data in files.items()],
            commit_message=f"Tagger {folder.name}",
            repo_type="model",
        )
    except Exception as error:  # the hub's, its client's without a network, and a bad name's
        first = str(error).strip().splitlines()[:1]
        raise ModelError(
            f"expected to push to {repository}, but the hub says: "
            f"{''.join(first) or type(error).__name__}; see that there is a network, log in by `hf "
            "auth login`, check the name OWNER/NAME, or see what goes by --dry-run"
        ) from error
    return str(url)
