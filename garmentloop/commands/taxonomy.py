"""`garmentloop taxonomy ...`: the words that garments are described with, and changing them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.console import err, out, table
from garmentloop.options import DatasetOption

if TYPE_CHECKING:
    from garmentloop.migration.run import Outcome
    from garments.migration.tally import Tally
    from garments.taxonomy import Taxonomy

app = typer.Typer(
    no_args_is_help=True,
    help="""Look at a taxonomy, check one, or bring a data set to a new one.

    Examples:

      garmentloop taxonomy show -d datasets/mine
      garmentloop taxonomy check new.toml
      garmentloop taxonomy migrate -d datasets/mine --to new.toml \\
          --map map.toml --dry-run
    """,
)


@app.command()
def show(
    dataset: DatasetOption,
    at: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="As it was before a migration, such as migration-1."),
    ] = None,
) -> None:
    """Show the attributes and values of a data set, and its migrations.

    With --at it is the taxonomy from which that migration started; every one
    that was ever in force is kept in DIR/taxonomies.

    Examples:

      garmentloop taxonomy show --dataset datasets/mine
      garmentloop taxonomy show -d datasets/mine --at migration-1
    """
    from garments.dataset import Dataset
    from garments.errors import BadSetting
    from garments.migration.history import History

    data = Dataset.open(dataset)
    history = History.of(data.folder)
    known = {migration.record.name: migration for migration in history.migrations}
    if at is not None and at not in known:
        raise BadSetting(
            f"expected --at with one of {', '.join(known) or 'no migrations yet'}, but got {at!r}"
        )
    _tell_taxonomy(known[at].moves.old if at else data.taxonomy)
    for name, migration in known.items() if at is None else ():
        record = migration.record
        text = f"{name}: {record.at[:10]}, from {record.old} to {record.new}"
        out.print(text, markup=False)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A taxonomy as TOML.")],
) -> None:
    """Check the file of a taxonomy; exit 1 with what is wrong with it.

    An attribute has an id, a title and values, each value an id and a title.
    Every word names one value only, parents stand above their children, and
    there are prompts (templates with {}) for every value. To see the default
    taxonomy with comments: garmentloop init DIR, then DIR/taxonomy.toml.

    Examples:

      garmentloop taxonomy check new.toml
    """
    from garments.taxonomy import Taxonomy

    found = Taxonomy.load(file)
    _tell_taxonomy(found)
    values = sum(len(attribute.values) for attribute in found.attributes)
    told = f"{file} is sound: {len(found.attributes)} attributes, {values} values ({found.hash})"
    out.print(told, markup=False)


@app.command()
def migrate(
    dataset: DatasetOption,
    new: Annotated[
        Path | None,
        typer.Option("--to", metavar="NEW.toml", help="The taxonomy that it is to have."),
    ] = None,
    map_: Annotated[
        Path | None,
        typer.Option("--map", metavar="MAP.toml", help="What becomes of old values."),
    ] = None,
    old: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="OLD.toml", help="Left out: DIR/taxonomy.toml, which it has to be."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would become of every label; write nothing.")
    ] = False,
) -> None:
    """Bring a data set to a new taxonomy, with all its labels.

    The map is a small TOML file. What is in both taxonomies needs no map, and
    new values neither; what is gone has to be in it:

      \\[attributes]                           # attributes as a whole
      rename = { pattern = "print" }         # old = new
      remove = \\["style"]

      \\[category]                             # values, by the old attribute
      rename = { t-shirt = "tee" }           # old = new
      merge = { top = \\["blouse", "tunic"] }  # new = \\[old, old]
      split = { jacket = \\["bomber", "parka"] }  # old = \\[new, new]
      remove = \\["poncho"]

    Labels are never altered: what is called otherwise by now gets a new row
    that names the old one. Labels of a value that was split or removed no
    longer hold, and what these had overruled does not come back; after a split
    the garments are asked again, in a round of their own at the next annotate
    push. That also sends the new form and updates tasks that nobody has begun;
    prelabel proposes anew. Who answers by the old form afterwards is understood
    by the map, and so are trained taggers and public sets. An id never changes
    its meaning: a narrower value needs a new one.

    Run curate sync and let a running loop end before. It may be killed at any
    time: the same command finishes it. The report is in DIR/report.

    Examples:

      garmentloop taxonomy migrate -d datasets/mine --to new.toml \\
          --map map.toml --dry-run
      garmentloop taxonomy migrate --dataset datasets/mine \\
          --from old.toml --to new.toml --map map.toml
    """
    from garmentloop.migration.run import Request
    from garmentloop.migration.run import migrate as run
    from garments.dataset import Dataset

    with err.status("reading labels"):
        outcome = run(Dataset.open(dataset), Request(new, map_, old, dry_run))
    _tell(outcome, dataset, dry_run)


def _tell(outcome: "Outcome", dataset: Path, dry_run: bool) -> None:
    from garmentloop.migration.run import State

    name = outcome.record.name
    if outcome.state is State.NOTHING or outcome.tally is None:
        out.print(f"Nothing to do: {name} did this on {outcome.record.at[:10]}.", markup=False)
        return
    if outcome.state is State.FINISHED:
        would = "would be finished" if dry_run else "is finished"
        err.print(f"{name} was cut off and {would} first", markup=False)
    _tell_tally(outcome.tally)
    for note in outcome.notes:
        err.print(f"note: {note}", markup=False)
    if dry_run:
        out.print("Nothing was written.")
        return
    out.print(f"{name} is done. Next:", markup=False)
    if outcome.tally.proposals:
        out.print(f"  garmentloop prelabel --dataset {dataset}", markup=False)
    again = outcome.tally.garments
    more = f", {again:,} garments to be asked again" if again else ""
    told = f"{outcome.waiting:,} tasks to update{more}"
    out.print(f"  garmentloop annotate push --dataset {dataset}   ({told})", markup=False)
    out.print(f"Page: {outcome.page}", markup=False)


def _tell_tally(tally: "Tally") -> None:
    """Labels by attribute, then every value of which something became."""
    from garments.migration.moves import Fate
    from garments.migration.report import WORDS

    totals = tally.totals
    always = (Fate.KEPT, Fate.RENAMED, Fate.MERGED, Fate.AGAIN, Fate.REMOVED)
    fates = [fate for fate in WORDS if totals[fate] or fate in always]
    rows = [(name, *(found.get(f, 0) for f in fates)) for name, found in tally.fates.items()]
    everything = ("all", *(totals[fate] for fate in fates))
    table(("labels", *(WORDS[fate] for fate in fates)), [*rows, everything])
    changed = [line for line in tally.lines if line.fate is not Fate.KEPT]
    for line in changed:
        what = f" -> {' or '.join(line.becomes)}" if line.becomes else ""
        text = f"  {line.labels:>7,}  {line.attribute} {line.value}{what}: {WORDS[line.fate]}"
        out.print(text, markup=False)
    for attribute, values in tally.added.items():
        out.print(f"  new in {attribute}: {', '.join(values)}", markup=False)
    out.print(
        f"{tally.garments:,} garments are to be asked again; {tally.superseded:,} labels were "
        f"superseded and {tally.withdrawn:,} withdrawn before",
        markup=False,
    )


def _tell_taxonomy(found: "Taxonomy") -> None:
    for attribute in found.attributes:
        kind = "several" if attribute.multiple else "one"
        under = f" under {attribute.parent}" if attribute.parent else ""
        about = f"{attribute.id} ({len(attribute.values):,}, {kind} of{under})"
        out.print(f"{about}: {', '.join(attribute.ids)}", markup=False)
