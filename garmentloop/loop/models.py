"""The steps of a round in which taggers have theirs: propose, split, release, train, judge."""

from typing import TYPE_CHECKING, Any

from garmentloop.loop.context import Context
from garmentloop.loop.edit_rate import Versions, edit_rates_of, rate_details
from garmentloop.loop.standing import MEASURED
from garments.rounds import Details, rounds

if TYPE_CHECKING:
    from annotate.options import PrelabelProgress


def propose_step(context: Context) -> Details:
    """Propose labels for every garment that lacks them."""
    from annotate.in_force import references_in_force

    end = _prelabel(context)
    return {
        "tagged": end.tagged if end else 0,
        "proposals": end.proposals if end else 0,
        "in_force": references_in_force(context.dataset),
    }


def split_step(context: Context) -> Details:
    """Draw train, val and test; what has a part keeps it."""
    from curate.split.make import SplitOptions, split

    found = split(context.dataset, SplitOptions(val=context.options.val))
    for note in found.notes:
        context.say(f"note: {note}")
    counts = {str(part): count.garments for part, count in found.counts.items()}
    return {"version": found.version, "garments": counts}


def release_step(context: Context) -> Details:
    """Freeze what people hold; a release of that name is the one that was made before a kill."""
    from curate.release.manifest import read_manifest
    from curate.release.names import release_names
    from curate.release.write import ReleaseOptions, release

    name = context.release
    if name not in release_names(context.dataset):
        note = ReleaseOptions(note=f"Made by the loop, {context.round}.")
        context.follow(release(context.dataset, name, note), "releasing")
    made = read_manifest(context.dataset.releases / name)
    return {"name": name, "hash": made.hash, "splits": made.splits, "taxonomy": made.taxonomy}


def prelabel_step(context: Context) -> Details:
    """Let what was promoted propose for all garments."""
    return propose_step(context)


def report_step(context: Context) -> Details:
    """The edit rate by the taggers that are in force from now on, and the annotation report.

    `history` has what earlier rounds' taggers come to on all answers that are there by now.
    """
    from annotate.studio.ledger import ledger
    from annotate.studio.report import write_report

    page = write_report(context.dataset, ledger(context.dataset))
    earlier = _earlier(context)
    now, *before = edit_rates_of(context.dataset, [None, *earlier.values()], context.alike)
    history: dict[str, dict[str, Any]] = {}
    for (name, when), measured in zip(earlier, before, strict=True):
        history.setdefault(name, {})[when] = rate_details(measured.overall)
    return {
        **now.as_details(context.round),
        "history": history,
        "page": page.relative_to(context.dataset.folder).as_posix(),
    }


def _earlier(context: Context) -> dict[tuple[str, str], Versions]:
    """Tagger versions by round and when they were in force: before the round, or after it."""
    found: dict[tuple[str, str], Versions] = {}
    for one in rounds(context.dataset):
        for when, step in MEASURED.items():
            known = context.done if one.name == context.round else one.done
            if versions := known.get(step, {}).get("versions"):
                found[one.name, when] = versions
    return found


def _prelabel(context: Context) -> "PrelabelProgress | None":
    from annotate.options import PrelabelOptions
    from annotate.prelabel import prelabel

    options = PrelabelOptions(device=context.options.device)
    return context.follow(prelabel(context.dataset, options), "tagging")
