"""Answers come into the catalogue by themselves: `annotate pull --watch` in the background."""

from pathlib import Path
from typing import TYPE_CHECKING

from garments import processes
from garments.errors import DatasetError

if TYPE_CHECKING:
    from garments.dataset import Dataset

_PROGRAM = "from garmentloop.cli import main; main()"


def begin(dataset: "Dataset") -> None:
    """Pull for as long as the server of the data set is up; nothing where one does so already."""
    folder = dataset.folder.resolve()
    if processes.living_pid(_pid_path(dataset)):
        return
    arguments = ["annotate", "pull", "--dataset", str(folder), "--watch"]
    try:
        processes.launch(_PROGRAM, arguments, _pid_path(dataset), log_path(dataset))
    except OSError as error:
        raise DatasetError(f"expected to start a pull in the background, but {error}") from error


def end(dataset: "Dataset") -> bool:
    """End it after what is being pulled now; whether it was at work."""
    return processes.end(_pid_path(dataset))


def log_path(dataset: "Dataset") -> Path:
    """What it said."""
    return _folder(dataset) / "pull.log"


def _pid_path(dataset: "Dataset") -> Path:
    return _folder(dataset) / "pull.pid"


def _folder(dataset: "Dataset") -> Path:
    from annotate.studio.project import studio_folder

    return studio_folder(dataset)
