"""`garmentloop promote`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.console import err, out
from garmentloop.options import DatasetOption, DeviceOption

if TYPE_CHECKING:
    from finetune.promotion.verdict import Verdict


def promote(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The challenger, as model:v2.")],
    dataset: DatasetOption,
    release: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which release; left out: the newest.")
    ] = None,
    margin: Annotated[
        float,
        typer.Option(
            min=0, max=0.99, metavar="SHARE", help="By how much it may be worse elsewhere."
        ),
    ] = 0.02,
    attributes: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="Only these, such as category,color; left out: all."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; put nothing in force.")
    ] = False,
    device: DeviceOption = "auto",
    json_file: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Also write the verdict as flat JSON."),
    ] = None,
) -> None:
    """Put a tagger in force, for the attributes in which it is really better.

    It is held against the tagger in force and the settings' zero-shot tagger on
    the test split of a release. For each attribute by itself: on at least 50
    labels it must be right more often than both by more than noise (the 95 %
    interval of the paired difference lies above 0), and be calibrated (ECE of
    at most 0.05; below 1,000 labels the lower end of its interval). Against the
    tagger in force it must not lose elsewhere by more than the margin: not in
    macro F1, not in the accuracy of a region or handle with 50 labels, not in
    an attribute under it, and not in how often what it proposes is right, where
    it does not abstain. Else it is refused, with the reason. A tagger that
    learnt from garments, photos or groups of the test split is refused.

    All that it wins is put in force in one step; `prelabel` and `extract` use
    it from then on. Done again, it changes nothing.

    Examples:

      garmentloop promote model:v2 --dataset datasets/mine
      garmentloop promote model:v2 -d datasets/mine --release v3 --dry-run
    """
    from finetune.promotion import PromoteOptions
    from finetune.promotion import promote as run
    from garments.dataset import Dataset

    names = attributes.replace(" ", "").split(",") if attributes else None
    options = PromoteOptions(margin, names, dry_run, device)
    with err.status("evaluating") as status:
        verdict = run(
            Dataset.open(dataset),
            model,
            release,
            options,
            tell=lambda done, total: status.update(f"{done:,}/{total:,} garments"),
        )
    _print(verdict, dry_run)
    if json_file:
        json_file.write_text(json.dumps(verdict.flat(), indent=2) + "\n", encoding="utf-8")
        out.print(f"Written to {json_file}", markup=False)


def _print(verdict: "Verdict", dry_run: bool) -> None:
    out.print(
        f"{verdict.challenger} on the test split of {verdict.release} "
        f"({verdict.release_hash[:12]}):",
        markup=False,
    )
    for one in verdict.attributes:
        instead = f" instead of {one.instead}" if one.attribute in verdict.promoted else ""
        outcome = "would be promoted" if instead and dry_run else str(one.outcome)
        out.print(f"  {one.attribute}: {outcome}{instead}: {one.reason}", markup=False)
    if not verdict.promoted:
        out.print("Nobody was put in force.")
    elif not dry_run:
        out.print(
            f"In force now for {', '.join(verdict.promoted)}. `garmentloop prelabel` asks it next.",
            markup=False,
        )
