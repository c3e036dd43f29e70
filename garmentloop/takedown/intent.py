"""A takedown as it is written down before anything is changed, and read again after a kill."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from garmentloop.takedown.plan import Plan
from garments.catalog.belongings import Belongings
from garments.errors import BadSetting, DatasetError
from garments.handles import same_handle
from garments.scrub import Terms
from garments.withdrawals import HANDLE, PHOTO, Entry, Withdrawals

_SETS = ("photos", "sources", "origins", "file_names", "people", "garments", "crops", "tasks")


@dataclass(frozen=True)
class Intent:
    """What goes, and what the log will say. Only until the takedown ends are there names in it."""

    what: Belongings
    entry: Entry
    recut: bool = False

    @property
    def terms(self) -> Terms:
        """Ids, paths and file names that must not stand anywhere afterwards."""
        return self.what.terms

    @property
    def sure(self) -> Terms:
        """Without file names: nothing else is written like the others."""
        return Terms(self.what.ids, self.what.origins)


def intend(known: Withdrawals, plan: Plan, by: str, reason: str) -> Intent:
    """The intent of a plan, written down; from now on the photos are refused.

    `BadSetting` where `by` or `reason`, which the log keeps, name what is taken down.
    """
    asked, what = plan.asked, plan.what
    _expect_nameless(plan, by, reason)
    entry = Entry(
        takedown=secrets.token_hex(8),
        at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        kind=asked.kind,
        photos=tuple(sorted(known.mark(PHOTO, name) for name in what.photos)),
        handle=known.mark(HANDLE, asked.handle) if asked.handle else "",
        by=by,
        reason=reason,
        counts=plan.rows,
        releases=tuple(one.name for one in plan.releases),
        models=tuple(one.reference for one in plan.models),
    )
    intent = Intent(what, entry, plan.recut)
    known.write_pending(_content(intent))
    return intent


def _expect_nameless(plan: Plan, *words: str) -> None:
    """`BadSetting` where the log would name what is taken down."""
    for text in words:
        said = {same_handle(word.strip(".,;:!?()'\"")) for word in text.split()} - {""}
        if plan.what.terms.within(text) or plan.asked.handle in said:
            raise BadSetting(
                f"expected --by and --reason to name nobody that is taken down, but got {text!r}; "
                "say it without the photo's id or file and without the handle: the log is kept"
            )


def read_intent(content: Mapping[str, Any]) -> Intent:
    """Inverse of what was written; `DatasetError` where it is damaged."""
    try:
        what = content["what"]
        sets = {name: frozenset(map(str, what[name])) for name in _SETS}
        entry = {**content["entry"]}
        for name in ("photos", "releases", "models"):
            entry[name] = tuple(entry[name])
        groups = dict(what["groups"])
        return Intent(Belongings(**sets, groups=groups), Entry(**entry), bool(content["recut"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise DatasetError(
            f"expected what is left of a takedown, but {type(error).__name__} {error}; was it "
            "written by a newer version? Use that to finish it"
        ) from error


def _content(intent: Intent) -> dict[str, Any]:
    """As `Withdrawals.write_pending` takes it."""
    what, entry = intent.what, intent.entry
    sets = {name: sorted(getattr(what, name)) for name in _SETS}
    marks = {"photos": list(entry.photos), "handle": entry.handle}
    return {
        "marks": marks,
        "entry": vars(entry),
        "what": {**sets, "groups": dict(what.groups)},
        "recut": intent.recut,
    }
