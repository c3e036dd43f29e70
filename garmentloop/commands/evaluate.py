"""`garmentloop evaluate ...`: figures measured on labelled photos."""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from garmentloop.commands.prelabel import Surroundings
from garmentloop.console import err, out, table
from garmentloop.options import (
    DetectorOption,
    DeviceOption,
    JsonFile,
    LimitOption,
    ParserOption,
    TaggerOption,
)

app = typer.Typer(
    no_args_is_help=True,
    help="""Measure the models on labelled photos.

    Example:

      garmentloop evaluate extract --data ../shared/data/ccp
    """,
)

OWN = {
    "n": "labels",
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "weighted_f1": "weighted F1",
    "p1": "P@1",
    "ece": "ECE",
}
BESIDE = {
    "weighted_f1": "weighted F1",
    "majority_weighted_f1": "majority",
    "knn_weighted_f1": "5-NN",
    "rule_weighted_f1": "rule:color",
    "coverage": "coverage",
    "precision_at_threshold": "precision",
}
"""Figures of a tagger's columns as they are titled in two tables."""


class Vocabulary(StrEnum):
    """Whose words a tagger is asked for."""

    NATIVE = "native"
    MAPPED = "mapped"


SplitOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Which photos; left out: val where there is one, else all."),
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
    limit: LimitOption = None,
    json_file: JsonFile = None,
) -> None:
    """How well garments are parsed and found, against pixel labels.

    DIR is laid out as datasets/recipes/ccp.md says; `garmentloop street`
    writes such folders too.

    Examples:

      garmentloop evaluate extract --data ../shared/data/ccp
      garmentloop evaluate extract --data runs/street --json figures.json
    """
    from extract.evaluate import evaluate_extract

    with err.status("evaluating") as status:
        figures = evaluate_extract(
            data,
            split=split,
            detector=detector or "starter",
            parser=parser or "starter",
            device=device,
            limit=limit,
            tell=lambda done, total: status.update(f"{done}/{total} photos"),
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
    limit: LimitOption = None,
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

    with err.status("evaluating") as status:
        figures = evaluate_people(
            data,
            split=split,
            detector=detector or "starter",
            parser=parser or "starter",
            device=device,
            limit=limit,
            tell=lambda done, total: status.update(f"{done}/{total} photos"),
        )
    _tell(figures, f"{data}", json_file)


@app.command()
def tagger(
    data: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Folder with labelled pictures of garments."),
    ],
    model: TaggerOption = None,
    vocabulary: Annotated[
        Vocabulary,
        typer.Option(help="The set's own columns and words, or the taxonomy's."),
    ] = Vocabulary.NATIVE,
    split: SplitOption = None,
    attributes: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="Which columns, such as category,color; left out: all."),
    ] = None,
    background: Annotated[
        Surroundings, typer.Option(help="What the tagger sees beside the garment.")
    ] = Surroundings.GREY,
    device: DeviceOption = "auto",
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop after this many garments.")
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """How well a tagger names garments, against labels and two baselines.

    DIR is laid out like one of the sets in datasets/recipes: fashion_products,
    clothing, ccp (garments are cut out along the label maps), or what
    `garmentloop street` writes. Native scores the set's own columns, mapped
    the attributes of the taxonomy that they can be mapped to; a value that a
    coarse label may stand for counts as right.

    Accuracy, F1, P@1 and ECE (15 bins) are of the top value, whether or not the
    tagger abstains; coverage is the share of labels where it does not, with its
    precision there. The baselines are the commonest value and the 5 nearest
    pictures by cosine of 32x32 thumbnails. Both learn from split train; where
    there is none, from the evaluated garments themselves, of which the nearest
    neighbours leave out the one that is asked for. Mapped color is also told
    by rule:color.

    Examples:

      garmentloop evaluate tagger --data ../shared/data/fashion_products
      garmentloop evaluate tagger --data ../shared/data/fashion_products \\
          --vocabulary mapped
      garmentloop evaluate tagger --data runs/street --model rule:color
    """
    from annotate.evaluate import evaluate_tagger

    model = model or "starter"
    with err.status("evaluating") as status:
        figures = evaluate_tagger(
            data,
            model,
            vocabulary.value,
            split=split,
            attributes=attributes.replace(" ", "").split(",") if attributes else None,
            background=background.value,
            limit=limit,
            device=device,
            tell=lambda done, total: status.update(f"{done}/{total} pictures"),
        )
    _tell_columns(figures, f"{model} on {data}, {vocabulary.value} vocabulary")
    _note_unseen(data, model)
    _write(figures, json_file)


def _tell_columns(figures: Mapping[str, float | int], title: str) -> None:
    """A row for each column in two tables, and how far its calibration error is known."""
    columns = [key.removesuffix("_n") for key in figures if key.endswith("_n")]
    _tell_some(OWN, columns, figures, f"{title}: {figures['items']:,} garments")
    _tell_some(BESIDE, columns, figures, "Weighted F1 beside others', and what is answered")
    for name in columns:
        if f"{name}_ece_low" in figures:
            low, high = figures[f"{name}_ece_low"], figures[f"{name}_ece_high"]
            out.print(
                f"ECE of {name} is known from {figures[f'{name}_n']} labels only: 95 % interval "
                f"{low:.3f} to {high:.3f}",
                markup=False,
            )


def _tell_some(
    titles: Mapping[str, str],
    columns: Sequence[str],
    figures: Mapping[str, float | int],
    title: str,
) -> None:
    there = {k: v for k, v in titles.items() if any(f"{name}_{k}" in figures for name in columns)}
    rows = [(name, *(figures.get(f"{name}_{key}") for key in there)) for name in columns]
    table(("column", *there.values()), rows, title=title)


def _note_unseen(data: Path, model: str) -> None:
    from annotate.samples import kind_of

    if model == "starter" and kind_of(data) == "clothing":
        out.print("Unseen domain: the starter tagger never learnt from the set clothing.")


def _tell(figures: Mapping[str, float | int], on: str, json_file: Path | None) -> None:
    table(("figure", "value"), figures.items(), title=f"Measured on {on}")
    _write(figures, json_file)


def _write(figures: Mapping[str, float | int], json_file: Path | None) -> None:
    if json_file:
        json_file.write_text(json.dumps(dict(figures), indent=2) + "\n", encoding="utf-8")
        out.print(f"Written to {json_file}", markup=False)
