"""`garmentloop tag`."""

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from garmentloop.console import err, table
from garmentloop.options import (
    DetectorOption,
    DeviceOption,
    EngineOption,
    LimitOption,
    ParserOption,
    PrecisionOption,
)

if TYPE_CHECKING:
    from garmentloop.tag.album import Album
    from garmentloop.tag.photo import TaggedPhoto
    from garments.taxonomy import Taxonomy


def tag(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE|URL|FOLDER",
            help="Photos, http(s) addresses of photos, folders, globs, a manifest (.csv, "
            ".jsonl), a list of URLs (.txt).",
        ),
    ],
    dataset: Annotated[
        Path | None,
        typer.Option(
            "--dataset",
            "-d",
            metavar="DIR",
            help="Tag by this data set's settings, taxonomy and promoted models.",
        ),
    ] = None,
    as_crops: Annotated[
        bool,
        typer.Option(
            "--as-crops", help="Each photo already shows one garment (shop picture, flat lay)."
        ),
    ] = False,
    to_json: Annotated[
        Path | None,
        typer.Option(
            "--json",
            metavar="FILE",
            help="JSON instead of a table, one object a photo and line; - for standard output.",
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Also write annotated pictures there."),
    ] = None,
    everyone: Annotated[
        bool,
        typer.Option(
            "--all", help="Also people who were turned down, with the reason, and second guesses."
        ),
    ] = False,
    limit: LimitOption = None,
    device: DeviceOption = "auto",
    engine: EngineOption = None,
    precision: PrecisionOption = None,
    detector: DetectorOption = None,
    parser: ParserOption = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="REF",
            help="Who tags, instead of the models in force: model:NAME of the data set, starter, "
            "hf:OWNER/NAME, openclip:MODEL, dir:PATH.",
        ),
    ] = None,
) -> None:
    """Tag photos: the people in them, their garments, and what each garment is.

    Nothing is recorded anywhere. Without a data set the models that ship with
    the project answer; with one, for each attribute the model in force there.
    A question mark marks what a model would only guess. What cannot be read
    is told with its reason, and the rest goes on; the exit code is 1 only if
    no photo could be read.

    Examples:

      garmentloop tag photo.jpg
      garmentloop tag photos/ --dataset datasets/mine --out tagged/
      garmentloop tag https://example.org/coat.jpg --json -
      garmentloop tag shop/ --as-crops --json tags.jsonl --model model:v2 \\
          -d datasets/mine
    """
    from garmentloop.progress import follow_plainly
    from garmentloop.tag.album import Album
    from garmentloop.tag.inference import find_each, tag_photos
    from garmentloop.tag.models import load_models
    from garmentloop.tag.photo import TagOptions
    from garments.dataset import Dataset

    data = Dataset.open(dataset) if dataset else None
    options = TagOptions(
        as_crops,
        detector,
        parser,
        model,
        device,
        limit,
        pixels=to is not None,
        engine=engine,
        precision=precision,
    )
    album = Album(to, sources) if to else None
    with err.status("loading models"):
        models = load_models(data, options)
    total = sum(1 for _ in islice(find_each(sources), limit))
    photos = tag_photos(sources, data, options, models=models)
    with ExitStack() as stack:
        file = _opened(to_json, sources, stack) if to_json else None
        shower = _Shower(models.taxonomy, everyone, album, file)
        end = follow_plainly(shower.show(photos, total), err, "photos") or _Shown(0, 0)
    shower.finish()
    err.print(str(end) if end.done else f"No photo found in {', '.join(sources)}", markup=False)
    if not end.read:
        raise typer.Exit(1)


@dataclass(frozen=True)
class _Shown:
    """How far it is: photos that are dealt with, those that could be read, and what they show."""

    done: int
    total: int
    read: int = 0
    people: int = 0
    turned_down: int = 0
    garments: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        parts = [f"{self.read} photos tagged: {self.people} people", f"{self.garments} garments"]
        if self.turned_down:
            parts.append(f"{self.turned_down} people turned down (--all tells why)")
        if self.done > self.read:
            parts.append(f"{self.done - self.read} photos unreadable")
        return ", ".join(parts)


@dataclass
class _Shower:
    """Shows photos as they come: as JSON where there is a `file`, else in a table at the end."""

    taxonomy: "Taxonomy"
    everyone: bool
    album: "Album | None"
    file: IO[str] | None
    rows: list[list[str]] = field(default_factory=list)
    turned_down: list[list[str]] = field(default_factory=list)

    def show(self, photos: "Iterable[TaggedPhoto]", total: int) -> Iterator[_Shown]:
        """Show each photo, and say how far that is."""
        from garmentloop.tag.words import shown

        so_far = _Shown(0, total)
        for photo in photos:
            seen = shown(photo, self.everyone)
            self._show(seen)
            accepted = sum(person.accepted for person in photo.people)
            so_far = replace(
                so_far,
                done=so_far.done + 1,
                read=so_far.read + (not photo.problem),
                people=so_far.people + accepted,
                turned_down=so_far.turned_down + len(photo.people) - accepted,
                garments=so_far.garments + len(seen.garments),
            )
            yield so_far

    def finish(self) -> None:
        """Print the tables."""
        from garmentloop.tag.rows import TURNED_DOWN, header

        if self.rows:
            table(header(self.taxonomy), self.rows)
        if self.turned_down:
            table(TURNED_DOWN, self.turned_down)

    def _show(self, photo: "TaggedPhoto") -> None:
        from garmentloop.tag.rows import as_json, rows, turned_down

        if photo.problem:
            err.print(f"not read: {photo.origin}: {photo.problem}", markup=False)
        elif self.album:
            self.album.add(photo)
        if self.file:
            self.file.write(json.dumps(as_json(photo), ensure_ascii=False) + "\n")
            self.file.flush()
        else:
            self.rows += rows(photo, self.taxonomy)
            self.turned_down += turned_down(photo)


def _opened(path: Path, sources: list[str], stack: ExitStack) -> IO[str]:
    """Where JSON goes: a line is there as soon as its photo is done, whatever comes later."""
    from garments.errors import BadSetting

    if str(path) == "-":
        return typer.get_text_stream("stdout", encoding="utf-8")
    if path.resolve() in (Path(source).resolve() for source in sources):
        raise BadSetting(f"expected --json to name a new file, but {path} is to be tagged itself")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return stack.enter_context(path.open("w", encoding="utf-8"))
    except OSError as error:
        raise BadSetting(
            f"expected --json to name a file that can be written, or -, but {path}: "
            f"{error.strerror or error}; name another one"
        ) from error
