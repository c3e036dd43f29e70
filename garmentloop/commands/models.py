"""`garmentloop models ...`: the trained taggers of a data set."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from garmentloop.console import out, table
from garmentloop.options import DatasetOption, JsonFlag

app = typer.Typer(
    no_args_is_help=True,
    help="""See, export and publish the taggers that were trained in a data set.

    Examples:

      garmentloop models list -d datasets/mine
      garmentloop models export v1 -d datasets/mine --out tagger.onnx
    """,
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Such as v1 or model:v1.")]


class ExportFormat(StrEnum):
    """What other programs read."""

    ONNX = "onnx"
    TORCH = "torch.export"


@app.command("list")
def list_models(dataset: DatasetOption, as_json: JsonFlag = False) -> None:
    """What was trained, on what, and what it is in force for.

    "from" is the release that a model learnt from; "withdrawn since" counts
    garments of it that a takedown took out of that release afterwards.

    Example:

      garmentloop models list -d datasets/mine
    """
    from finetune.models import trained
    from garments.dataset import Dataset

    found = trained(Dataset.open(dataset))
    rows = [
        {
            "model": one.reference,
            "trained": f"{one.created:%Y-%m-%d %H:%M}",
            "from": one.learnt_from,
            "withdrawn since": one.withdrawn,
            "mode": str(one.made.recipe.get("mode", "")) if one.made else "damaged",
            "backbone": one.made.backbone.reference if one.made else "",
            "MB": round(one.megabytes, 1),
            "in force for": ", ".join(one.in_force),
        }
        for one in found
    ]
    if as_json:
        out.print(json.dumps(rows, indent=2), markup=False)
    elif not rows:
        out.print("None yet: `garmentloop finetune tagger` trains one.", markup=False)
    else:
        table(tuple(rows[0]), [tuple(row.values()) for row in rows])
        for one in found:
            if one.problem:
                out.print(f"{one.reference}: {one.problem}", markup=False)


@app.command()
def show(name: NameArgument, dataset: DatasetOption) -> None:
    """The card of a model: data, recipe, figures, limits.

    Example:

      garmentloop models show v1 -d datasets/mine
    """
    from rich.markdown import Markdown

    from finetune.models import card_of, one_trained
    from garments.dataset import Dataset

    found = one_trained(Dataset.open(dataset), name)
    out.print(Markdown(card_of(found)))
    out.print(f"Folder: {found.folder}", markup=False)
    if found.learnt_from:
        since = f", {found.withdrawn:,} garments withdrawn since" if found.withdrawn else ""
        out.print(f"Trained on: {found.learnt_from}{since}", markup=False)
    out.print(f"In force for: {', '.join(found.in_force) or 'nothing'}", markup=False)


@app.command()
def export(
    name: NameArgument,
    dataset: DatasetOption,
    to: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="The ending follows the format.")
    ],
    kind: Annotated[
        ExportFormat, typer.Option("--format", help="For ONNX runtimes, or for torch alone.")
    ] = ExportFormat.ONNX,
) -> None:
    """Write a model for other programs, and beside it (.json) how to feed and read it.

    Examples:

      garmentloop models export v1 -d datasets/mine --out tagger.onnx
      garmentloop models export v1 -d datasets/mine --out tagger.pt2 \\
          --format torch.export
    """
    from finetune.export_model import export_model
    from finetune.models import one_trained
    from garmentloop.console import err
    from garments.dataset import Dataset

    found = one_trained(Dataset.open(dataset), name)
    with err.status(f"exporting {found.reference}"):
        made, notes = export_model(found.folder, to, kind.value)
    out.print(f"Written: {made} and {notes}", markup=False)


@app.command()
def push(
    name: NameArgument,
    repository: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="On the hub.")],
    dataset: DatasetOption,
    licence: Annotated[
        str, typer.Option(metavar="NAME", help="Of the model, such as apache-2.0.")
    ] = "",
    public: Annotated[
        bool, typer.Option("--public", help="For everybody to see; else private.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be sent; send nothing.")
    ] = False,
) -> None:
    """Publish a model on the Hugging Face hub, with its card.

    Examples:

      garmentloop models push v1 me/street-tagger -d datasets/mine \\
          --licence apache-2.0 --dry-run
    """
    from finetune.export_model import hub_files, push_to_hub
    from finetune.models import one_trained
    from garmentloop.console import err
    from garments.dataset import Dataset

    found = one_trained(Dataset.open(dataset), name)
    if dry_run:
        files = hub_files(found.folder, licence)
        table(("file", "bytes"), [(path, len(data)) for path, data in files.items()])
        seen = "everybody to see" if public else "you alone"
        out.print(f"Would be sent to {repository}, for {seen}.", markup=False)
        return
    with err.status(f"sending {found.reference} to {repository}"):
        url = push_to_hub(found.folder, repository, licence, private=not public)
    out.print(f"Sent: {url}", markup=False)


@app.command()
def rollback(
    dataset: DatasetOption,
    attributes: Annotated[
        str | None, typer.Option(metavar="LIST", help="Only these, such as category,color.")
    ] = None,
) -> None:
    """Put back in force what was before the newest promotion.

    Nothing is deleted: the promotion is taken back by another row, and
    `garmentloop prelabel` goes on with the earlier models.

    Example:

      garmentloop models rollback -d datasets/mine
    """
    from finetune.promotion import rollback as put_back
    from garments.dataset import Dataset

    asked = attributes.replace(" ", "").split(",") if attributes else None
    done = put_back(Dataset.open(dataset), asked)
    if not done:
        out.print("No promotion is there to be taken back.")
    for one in done:
        now = one.restored or "the model of the settings"
        out.print(f"{one.attribute}: {now} is in force again, not {one.model}", markup=False)
