"""Saved views, each the answer to a question that a curator asks."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.fiftyone.fields import DECISION_TAGS, NO_FILE, NOTHING_APPLIES
from curate.fiftyone.journal import keep, kept
from curate.fiftyone.standing import attribute_field
from curate.select.keep import newest_selected
from curate.state import Decision, GarmentState
from curate.suspects import SUSPICIOUS
from garments.errors import BadInput
from garments.ids import stable_id
from garments.records import Doubt, Verdict

if TYPE_CHECKING:
    from curate.fiftyone.window import Window

RARE = 5
"""A value that at most so many garments have is rare; among few garments (`_RARE_SHARE`) fewer."""

_RARE_SHARE = 0.02

_RED, _ORANGE, _BLUE, _GREEN = "#D1495B", "#EDAE49", "#00798C", "#4C9F70"

_ABOUT = ("garment_id", "region", "state", "gold", "flags", "split", "round", "handle")
"""Fields that all views of garments show."""

_OURS = "views"
"""Where a FiftyOne dataset keeps the names of the views that were saved here."""

_SELECTED = "selected"
"""Where it keeps which selection its view shows."""


@dataclass(frozen=True)
class SavedView:
    """One view to save; `view` is a `fiftyone.DatasetView`.

    Beside `_ABOUT` it shows `fields`, all where there are none. The fewer the better: after each
    tag in a view that matches, the App stands still for a tenth of a second a field.
    """

    name: str
    description: str
    view: Any
    color: str
    fields: tuple[str, ...] = ()

    @property
    def narrow(self) -> Any:
        """The view with the fields that it shows."""
        return self.view.select_fields([*_ABOUT, *self.fields]) if self.fields else self.view


def save(window: "Window") -> None:
    """Save all views of both datasets; those that others saved are left alone."""
    _save(window.garments, list(garment_views(window)))
    _save(window.photos, list(photo_views(window)))
    keep(window.garments, **{_SELECTED: _selection(window)})


def are_saved(window: "Window") -> bool:
    """Whether the views that were saved last are still there, and nothing was selected since."""
    if kept(window.garments, _SELECTED) != _selection(window):
        return False
    for shown in (window.garments, window.photos):
        names = kept(shown, _OURS)
        if names is None or not set(names) <= set(shown.list_saved_views()):
            return False
    return True


def address(window: "Window", name: str) -> tuple[str, str]:
    """Name of the FiftyOne dataset and slug of the saved view called `name`, or with that slug.

    Raises `BadInput` that tells which views there are.
    """
    known = []
    for shown in (window.garments, window.photos):
        for saved in shown.list_saved_views() if shown else ():
            slug = slug_of(shown, saved)
            if name.strip().lower() in (saved.lower(), slug):
                return shown.name, slug
            known.append(saved)
    raise BadInput(
        f"expected one of the saved views {'; '.join(known) or '(none yet)'}, but got {name!r}"
    )


def slug_of(shown: Any, name: str) -> str:
    """What names a saved view of a FiftyOne dataset in the App's address."""
    return str(shown._get_saved_view_doc(name).slug)


def garment_views(window: "Window") -> Iterator[SavedView]:
    """The views of the dataset of garments."""
    view_field = window.fo.ViewField
    active = window.garments.match(view_field("state") == str(GarmentState.ACTIVE))
    holds, human, proposed, edited = (
        _of_all(window, suffix) for suffix in ("", "_human", "_proposed", "_edited")
    )
    yield from _wrong(window, active)
    yield _changed(window, active, (*holds, "edits", *edited))
    yield SavedView(
        "most uncertain",
        "the tagger is least sure of these: what to annotate next",
        active.exists("uncertainty").sort_by("uncertainty", reverse=True),
        _BLUE,
        (*proposed, "uncertainty"),
    )
    yield SavedView(
        "suspects",
        f"labels by people that are probably wrong (score from {SUSPICIOUS}), of all attributes in "
        "one ranking; suspicion_why says what others like it are",
        active.match(view_field("suspicion") >= SUSPICIOUS).sort_by("suspicion", reverse=True),
        _RED,
        (*human, "suspicion", "suspicion_why"),
    )
    yield SavedView(
        "annotators disagree",
        "annotators differ and nobody settled it yet, in the most attributes first; "
        "disagreement_why says who said what",
        active.match(view_field("disagreement") > 0).sort_by(
            [("disagreement", -1), ("garment_id", 1)]
        ),
        _ORANGE,
        (*human, "disagreement", "disagreement_why"),
    )
    yield from _copies(window, active, holds)
    yield _bad_crops(window, holds)
    yield _rare(window, active, holds)
    yield _newest_round(window, holds)
    yield _selected(window, active, (*holds, *proposed, "uncertainty"))
    yield SavedView(
        "gold",
        "garments whose labels a curator vouches for",
        window.garments.match(view_field("gold") == True),  # noqa: E712
        _GREEN,
        holds,
    )


def photo_views(window: "Window") -> Iterator[SavedView]:
    """The views of the dataset of photos: people that were turned down, by reason."""
    view_field = window.fo.ViewField
    seen = set(window.photos.distinct("people.detections.label"))
    for verdict in Verdict:
        if verdict is not Verdict.ACCEPTED and str(verdict) in seen:
            yield SavedView(
                f"turned down: {verdict.replace('_', ' ')}",
                "people that were not used, and only these",
                window.photos.filter_labels("people", view_field("label") == str(verdict)),
                _ORANGE,
            )


def newest_round(window: "Window") -> str | None:
    """The round to which something was sent last."""
    rows = window.dataset.catalog.rows("tasks", ["round", "seq"]).sort_by("seq")
    return rows.column("round").to_pylist()[-1] if rows.num_rows else None


def rare_labels(window: "Window") -> dict[str, list[str]]:
    """Labels with a value that few garments have, by field."""
    found = {}
    for name, counts in _labels(window).items():
        often = Counter[str]()
        for label, count in counts.items():
            often.update(dict.fromkeys(_parts(label), count))
        most = max(1, min(RARE, round(_RARE_SHARE * counts.total())))
        rare = {value for value, count in often.items() if count <= most}
        labels = [label for label in counts if _parts(label) & rare]
        if labels:
            found[name] = sorted(labels)
    return found


def _labels(window: "Window") -> dict[str, Counter[str]]:
    """How many active garments have each label, by field; in one look, since there may be many."""
    names = [attribute_field(attribute.id) for attribute in window.dataset.taxonomy.attributes]
    found = {name: Counter[str]() for name in names}
    wanted = {"_id": False, **{f"{name}.label": True for name in names}}
    active = {"state": str(GarmentState.ACTIVE)}
    for document in window.garments._sample_collection.find(active, wanted):
        for name in names:
            label = (document.get(name) or {}).get("label")
            if label and label != NOTHING_APPLIES:
                found[name][label] += 1
    return found


def _wrong(window: "Window", active: Any) -> Iterator[SavedView]:
    view_field = window.fo.ViewField
    for attribute in window.dataset.taxonomy.attributes:
        name = attribute_field(attribute.id)
        both = active.exists(f"{name}_human").exists(f"{name}_proposed")
        wrong = view_field(f"{name}_human.label") != view_field(f"{name}_proposed.label")
        sure = view_field(f"{name}_proposed.abstained") != True  # noqa: E712
        yield SavedView(
            f"confidently wrong: {attribute.id}",
            f"the tagger's {attribute.title.lower()} is not what people said; the surest first",
            both.match(wrong & sure).sort_by(f"{name}_proposed.confidence", reverse=True),
            _RED,
            (*_of_all(window, ""), f"{name}_human", f"{name}_proposed"),
        )


def _of_all(window: "Window", suffix: str) -> tuple[str, ...]:
    """The fields of all attributes with that ending."""
    attributes = window.dataset.taxonomy.attributes
    return tuple(f"{attribute_field(attribute.id)}{suffix}" for attribute in attributes)


def _changed(window: "Window", active: Any, fields: tuple[str, ...]) -> SavedView:
    return SavedView(
        "annotators changed most",
        "annotators changed the most of what the form had shown",
        active.match(window.fo.ViewField("edits") > 0).sort_by("edits", reverse=True),
        _ORANGE,
        fields,
    )


def _copies(window: "Window", active: Any, holds: tuple[str, ...]) -> Iterator[SavedView]:
    view_field = window.fo.ViewField
    yield SavedView(
        "near-duplicates",
        "very much alike, from different photos; those that belong together are neighbours",
        active.match(view_field("near_duplicate") == True).sort_by(  # noqa: E712
            [("near_group", 1), ("region", 1), ("garment_id", 1)]
        ),
        _BLUE,
        (*holds, "near_group", "near_duplicate", "uniqueness"),
    )
    yield SavedView(
        "duplicates",
        "the same picture more than once; copies are neighbours",
        active.exists("duplicate_group").sort_by(
            [("duplicate_group", 1), ("region", 1), ("garment_id", 1)]
        ),
        _BLUE,
        (*holds, "duplicate_group"),
    )


def _bad_crops(window: "Window", holds: tuple[str, ...]) -> SavedView:
    view_field = window.fo.ViewField
    told = view_field("state") == str(GarmentState.BAD_CROP)
    doubted = (view_field("state") == str(GarmentState.ACTIVE)) & view_field("flags").contains(
        [*map(str, Doubt), NO_FILE]
    )
    return SavedView(
        "bad crops",
        f"tagged {DECISION_TAGS[Decision.BAD_CROP]!r} by a person; after these, crops with doubts "
        "(flags), those with the most first",
        window.garments.match(told | doubted).sort_by(
            told.if_else(100, 0) + view_field("flags").length(), reverse=True
        ),
        _ORANGE,
        holds,
    )


def _rare(window: "Window", active: Any, holds: tuple[str, ...]) -> SavedView:
    view_field = window.fo.ViewField
    conditions = [
        view_field(f"{name}.label").is_in(labels) for name, labels in rare_labels(window).items()
    ]
    view = active.match(view_field.any(conditions)) if conditions else active.limit(0)
    text = f"garments with a value that few others have, at most {RARE}"
    return SavedView("rare values", text, view, _BLUE, holds)


def _newest_round(window: "Window", holds: tuple[str, ...]) -> SavedView:
    name = newest_round(window)
    view = window.garments.match(window.fo.ViewField("round") == (name or ""))
    return SavedView(
        "newest round", f"sent to annotators last: {name or 'nothing yet'}", view, _BLUE, holds
    )


def _selected(window: "Window", active: Any, fields: tuple[str, ...]) -> SavedView:
    """What `curate select` chose last, in its order."""
    found = newest_selected(window.dataset)
    view = active.limit(0)
    if found and found.garments:
        view = active.select_by("garment_id", list(found.garments), ordered=True)
    text = f"chosen by curate select: {found.about if found else 'nothing yet'}"
    return SavedView("selected batch", text, view, _BLUE, fields)


def _selection(window: "Window") -> str:
    """Names the newest selection, empty before."""
    found = newest_selected(window.dataset)
    return stable_id(found.about, *found.garments) if found else ""


def _parts(label: str) -> set[str]:
    return set(label.split(" + ")) if label else set()


def _save(shown: Any, views: list[SavedView]) -> None:
    """Save what changed, and drop those of ours that are no more."""
    names = [found.name for found in views]
    for name in kept(shown, _OURS) or ():
        if name not in names and shown.has_saved_view(name):
            shown.delete_saved_view(name)
    for found in views:
        if not _is_saved(shown, found):
            shown.save_view(
                found.name, found.narrow, found.description, color=found.color, overwrite=True
            )
    keep(shown, **{_OURS: names})


def _is_saved(shown: Any, wanted: SavedView) -> bool:
    """Whether the view is saved as it is wanted, so that its history in the App stays."""
    if not shown.has_saved_view(wanted.name):
        return False
    about = shown.get_saved_view_info(wanted.name)
    if about["description"] != wanted.description:
        return False
    try:
        there = shown.load_saved_view(wanted.name)
    except Exception:  # a view over a field that was deleted raises whatever its stages raise
        return False
    return bool(
        there._serialize(include_uuids=False) == wanted.narrow._serialize(include_uuids=False)
    )
