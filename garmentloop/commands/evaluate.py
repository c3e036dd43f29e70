"""`garmentloop evaluate ...`: figures measured on labelled photos."""

import json
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from garmentloop.commands.prelabel import Surroundings
from garmentloop.console import err, out, table
from garmentloop.options import (
    DetectorOption,
    DeviceOption,
    EngineOption,
    JsonFile,
    LimitOption,
    ParserOption,
    PrecisionOption,
    WorkersChoice,
    WorkersOption,
)

if TYPE_CHECKING:
    from finetune.evaluate.run import Evaluation
    from garments.dataset import Dataset
    from garments.settings import Settings, SpeedSettings

INT8 = "int8"

app = typer.Typer(
    no_args_is_help=True,
    help="""Measure the models on labelled photos.

    Example:

      garmentloop evaluate extract --data ../shared/data/ccp
    """,
)


class Vocabulary(StrEnum):
    """Whose words a tagger is asked for."""

    NATIVE = "native"
    MAPPED = "mapped"


SplitOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Which photos; left out: val where there is one, else all."),
]


MaxLossOption = Annotated[
    float,
    typer.Option(
        min=0, max=1, metavar="X", help="With --precision int8: how far any figure may fall."
    ),
]


@app.command()
def extract(
    data: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Folder with photos, labels.csv, label maps, splits."),
    ],
    split: SplitOption = None,
    detector: DetectorOption = None,
    parser: ParserOption = None,
    device: DeviceOption = "auto",
    engine: EngineOption = None,
    precision: PrecisionOption = None,
    max_loss: MaxLossOption = 0.01,
    limit: LimitOption = None,
    workers: WorkersOption = None,
    json_file: JsonFile = None,
) -> None:
    """How well garments are parsed and found, against pixel labels.

    DIR is laid out as datasets/recipes/ccp.md says; `garmentloop street`
    writes such folders too. With --precision int8, figures of fp32 and of
    int8 stand side by side, and where none falls by more than --max-loss,
    int8 may be used with these models from then on.

    Examples:

      garmentloop evaluate extract --data ../shared/data/ccp
      garmentloop evaluate extract --data runs/street --json figures.json
      garmentloop evaluate extract --data runs/street --precision int8
    """
    from extract.evaluate import evaluate_extract
    from garmentloop.workers.cluster import open_workers

    if precision == INT8:
        measure = partial(evaluate_extract, data, split, limit=limit)
        _find_on_trial(measure, "extract", data, detector, parser, max_loss, json_file)
        return
    with open_workers(workers, device) as chosen, err.status("evaluating") as status:
        figures = evaluate_extract(
            data,
            split=split,
            detector=detector or "starter",
            parser=parser or "starter",
            device=device,
            limit=limit,
            tell=lambda done, total: status.update(f"{done}/{total} photos"),
            workers=chosen,
            speed=_speed(engine, precision),
        )
    _tell(figures, f"{data}", json_file)


@app.command()
def people(
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder with images, images.csv and boxes.csv.")
    ],
    split: SplitOption = None,
    detector: DetectorOption = None,
    parser: ParserOption = None,
    device: DeviceOption = "auto",
    engine: EngineOption = None,
    precision: PrecisionOption = None,
    max_loss: MaxLossOption = 0.01,
    limit: LimitOption = None,
    workers: WorkersOption = None,
    json_file: JsonFile = None,
) -> None:
    """How well people are found, and the right ones accepted, against labelled boxes.

    DIR is laid out as datasets/recipes/persons.md says; `garmentloop street`
    writes such folders too.

    Examples:

      garmentloop evaluate people --data ../shared/data/persons
      garmentloop evaluate people --data runs/street --detector dir:runs/detector
    """
    from extract.evaluate_people import evaluate_people
    from garmentloop.workers.cluster import open_workers

    if precision == INT8:
        measure = partial(evaluate_people, data, split, limit=limit)
        _find_on_trial(measure, "people", data, detector, parser, max_loss, json_file)
        return
    with open_workers(workers, device) as chosen, err.status("evaluating") as status:
        figures = evaluate_people(
            data,
            split=split,
            detector=detector or "starter",
            parser=parser or "starter",
            device=device,
            limit=limit,
            tell=lambda done, total: status.update(f"{done}/{total} photos"),
            workers=chosen,
            speed=_speed(engine, precision),
        )
    _tell(figures, f"{data}", json_file)


@app.command()
def tagger(
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder with labelled pictures of garments."),
    ] = None,
    dataset: Annotated[
        Path | None,
        typer.Option("--dataset", "-d", metavar="DIR", help="Or a data set with a release."),
    ] = None,
    release: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Which release; left out: the newest."),
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            metavar="REF",
            help="Who is measured: starter, model:NAME, hf:OWNER/NAME, openclip:MODEL, "
            "dir:PATH; with --dataset any number of challengers.",
        ),
    ] = None,
    page: Annotated[
        bool, typer.Option("--page", help="With --dataset: also write a page with plots.")
    ] = False,
    vocabulary: Annotated[
        Vocabulary,
        typer.Option(help="With --data: the set's own columns and words, or the taxonomy's."),
    ] = Vocabulary.NATIVE,
    split: SplitOption = None,
    attributes: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="Which columns, such as category,color; left out: all."),
    ] = None,
    background: Annotated[
        Surroundings, typer.Option(help="With --data: what is seen beside the garment.")
    ] = Surroundings.GREY,
    device: DeviceOption = "auto",
    engine: EngineOption = None,
    precision: PrecisionOption = None,
    max_loss: MaxLossOption = 0.01,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="With --data: stop after this many garments."),
    ] = None,
    workers: WorkersOption = None,
    json_file: JsonFile = None,
) -> None:
    """How well taggers name garments, on labelled pictures or a frozen release.

    With --dataset: side by side on the test split of a release, per attribute,
    the settings' zero-shot tagger, rule:color, the taggers in force and the
    challengers given by --model, with 95 % intervals (photos drawn again with
    replacement). Accuracy is of the top value, where several values may hold of
    the exact set; P@k is the share of the labelled values among the k most
    probable, of at most k. What they said is kept, so a second run is quick,
    and `garmentloop curate sync` shows it in FiftyOne. Engine and precision are
    those of dataset.toml, as for `prelabel`, unless given here.

    With --data: DIR is laid out like one of the sets in datasets/recipes:
    fashion_products, clothing, ccp (garments are cut out along the label maps),
    or what `garmentloop street` writes. Native scores the set's own columns,
    mapped the attributes of the taxonomy that they can be mapped to; a value
    that a coarse label may stand for counts as right. The baselines are the
    commonest value and the 5 nearest pictures by cosine of 32x32 thumbnails,
    learnt from split train, else from the other evaluated garments. Mapped
    color is also told by rule:color.

    F1 and ECE (15 bins) are of the answer, whether or not the tagger abstains;
    coverage is the share of labels where it does not, with its precision there.

    Examples:

      garmentloop evaluate tagger --data ../shared/data/fashion_products
      garmentloop evaluate tagger --data ../shared/data/fashion_products \\
          --vocabulary mapped
      garmentloop evaluate tagger --data runs/street --model rule:color
      garmentloop evaluate tagger -d datasets/mine --model model:v1 --page
    """
    columns = _names(attributes)
    if dataset and not data:
        from finetune.evaluate import evaluate_release
        from garments.dataset import Dataset

        opened = Dataset.open(dataset)
        ask = partial(
            evaluate_release,
            opened,
            release,
            models or [],
            attributes=columns,
            device=device,
            speed=_speed_of(opened.settings, engine, precision),
        )
        _on_release(opened, ask, workers, device, page, json_file)
        return
    if not data or dataset or page or release or len(models or ()) > 1:
        raise typer.BadParameter(
            "expected either --data DIR with at most one --model, or --dataset DIR with --release, "
            "--page and any number of --model"
        )
    from annotate.evaluate import evaluate_tagger, tagger_for
    from garmentloop.tagger_table import print_columns
    from garmentloop.workers.cluster import open_workers

    model = models[0] if models else "starter"
    measure = partial(
        evaluate_tagger, data, vocabulary=vocabulary.value, split=split, attributes=columns
    )
    if precision == INT8:
        how = _speed(engine, precision)
        asked = tagger_for(data, model, vocabulary.value, columns, background.value, how)
        again = partial(measure, asked, limit=limit)
        _on_trial(again, [asked], "tagger", data, max_loss, json_file)
        return
    with open_workers(workers, device) as chosen, err.status("evaluating") as status:
        figures = measure(
            model,
            background=background.value,
            limit=limit,
            device=device,
            tell=lambda done, total: status.update(f"{done}/{total} pictures"),
            workers=chosen,
            speed=_speed(engine, precision),
        )
    print_columns(figures, f"{model} on {data}, {vocabulary.value} vocabulary")
    _note_unseen(data, model)
    _write(figures, json_file)


def _speed(engine: str | None, precision: str | None) -> "SpeedSettings":
    """What runs the models; int8 is made of what OpenVINO does in fp32."""
    from garments.settings import Settings

    chosen = ("openvino", "fp32") if precision == INT8 else (engine, precision)
    return _speed_of(Settings(), *chosen)


def _speed_of(settings: "Settings", engine: str | None, precision: str | None) -> "SpeedSettings":
    """What the settings say runs the models, unless something else is asked for."""
    changes = {"speed.engine": engine, "speed.precision": precision}
    return settings.changed({key: said for key, said in changes.items() if said}).speed


def _find_on_trial(
    measure: Callable[..., Mapping[str, float | int]],
    kind: str,
    data: Path,
    detector: str | None,
    parser: str | None,
    max_loss: float,
    json_file: Path | None,
) -> None:
    from extract.models import load_detector, load_parser

    how = _speed(None, INT8)
    name = detector or "starter"
    finder = load_detector(name, "cpu", how.engine, how.precision, padded=True)  # as int8 will be
    reader = load_parser(parser or "starter", "cpu", how.engine, how.precision)
    again = partial(measure, detector=finder, parser=reader)
    _on_trial(again, [finder, reader], kind, data, max_loss, json_file)


def _on_trial(
    measure: Callable[..., Mapping[str, float | int]],
    models: Sequence[Any],
    kind: str,
    data: Path,
    max_loss: float,
    json_file: Path | None,
) -> None:
    """Measure twice, say what int8 loses, and accept it or exit with 1."""
    from garmentloop.int8 import try_int8

    record = {"measured": kind, "data": str(data), "models": [one.reference for one in models]}
    with err.status("evaluating"):
        trial = try_int8(measure, models, kind, max_loss, record)
    table(("figure", "fp32", "int8"), trial.rows(), title=f"Measured on {data}")
    out.print(str(trial), markup=False)
    _write(trial.rough, json_file)
    if not trial.accepted:
        raise typer.Exit(1)


def _names(attributes: str | None) -> list[str] | None:
    return attributes.replace(" ", "").split(",") if attributes else None


def _on_release(
    dataset: "Dataset",
    ask: "Callable[..., Evaluation]",
    workers: WorkersChoice | None,
    device: str,
    page: bool,
    json_file: Path | None,
) -> None:
    from garmentloop.tagger_table import print_evaluation
    from garmentloop.workers.cluster import open_workers
    from garments.atwork import at_work

    with at_work(dataset):
        with open_workers(workers, device) as chosen, err.status("evaluating") as status:
            found = ask(
                record=True,
                tell=lambda done, total: status.update(f"{done:,}/{total:,} garments"),
                workers=chosen,
            )
        print_evaluation(found)
        if page:
            from finetune.evaluate.page import write_evaluation_page

            out.print(f"Page: {write_evaluation_page(dataset, found)}", markup=False)
    _write(found.flat(), json_file)


def _note_unseen(data: Path, model: str) -> None:
    from annotate.samples import kind_of

    if model == "starter" and kind_of(data) == "clothing":
        out.print("Unseen domain: the starter tagger never learnt from the set clothing.")


def _tell(figures: Mapping[str, float | int], on: str, json_file: Path | None) -> None:
    table(("figure", "value"), figures.items(), title=f"Measured on {on}")
    _write(figures, json_file)


def _write(figures: Mapping[str, float | int | str | None], json_file: Path | None) -> None:
    if json_file:
        json_file.write_text(json.dumps(dict(figures), indent=2) + "\n", encoding="utf-8")
        out.print(f"Written to {json_file}", markup=False)
