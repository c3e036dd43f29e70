"""What the App's sidebar lists under which heading, and what is written on the crops at first."""

from typing import TYPE_CHECKING, Any

from curate.fiftyone.standing import attribute_field
from garments.errors import BadTaxonomy

if TYPE_CHECKING:
    from curate.fiftyone.window import Window

HOLDS, PEOPLE, TAGGER = "#5C6B7A", "#4C9F70", "#EDAE49"
"""Colors of what holds, what people said and what the tagger in force says."""

_ABOUT = ["region", "state", "gold", "flags", "split", "round", "handle", "licence"]
_ALIKE = ["uniqueness", "near_duplicate", "near_group", "duplicate_group"]
_IDS = ["garment_id", "photo_id", "person_id", "crop_sha", "synced_tags", "filepath", "id"]
_IDS += ["created_at", "last_modified_at", "embedding"]

Groups = list[tuple[str, list[str], bool]]
"""Heading, fields, and whether they are unfolded at first."""


def save(window: "Window") -> None:
    """Arrange the fields of the garments, where they are not arranged so already."""
    shown, fo = window.garments, window.fo
    groups = arranged(window)
    documents = [
        fo.SidebarGroupDocument(name=name, paths=paths, expanded=expanded)
        for name, paths, expanded in groups
        if paths
    ]
    config = shown.app_config
    if [_plain(group) for group in config.sidebar_groups or ()] == list(map(_plain, documents)):
        return
    config.sidebar_groups = documents
    config.active_fields = fo.ActiveFields(paths=written_on_crops(window))
    config.color_scheme = fo.ColorScheme(color_by="field", fields=_colors(window))
    shown.save()


def arranged(window: "Window") -> Groups:
    """All fields of the dataset of garments under headings; those of nobody last."""
    schema = window.garments.get_field_schema()
    names = [attribute_field(attribute.id) for attribute in window.dataset.taxonomy.attributes]
    suffixes = ("human", "proposed", "uncertainty", "edited")
    by = {suffix: [f"{name}_{suffix}" for name in names] for suffix in suffixes}
    ours = {path for paths in by.values() for path in paths}
    taggers = [
        path
        for path in schema
        if path not in ours
        and any(path.startswith(f"{name}_") for name in names)
        and path not in names
    ]
    suspects = [path for path in schema if path.startswith("suspect_")]
    groups: Groups = [
        ("tags", ["tags", "_label_tags"], True),
        ("what holds", names, True),
        ("people said", by["human"], True),
        ("tagger says", by["proposed"], True),
        ("other taggers say", taggers, False),
        ("about the garment", _ABOUT, True),
        ("uncertainty", ["uncertainty", *by["uncertainty"]], False),
        ("suspects", ["suspicion", "suspicion_why", *suspects], False),
        ("annotators disagree", ["disagreement", "disagreement_why"], False),
        ("changed by annotators", ["edits", *by["edited"]], False),
        ("copies and likeness", _ALIKE, False),
        ("evaluations", [path for path in schema if path.startswith("eval_")], False),
        ("metadata", [], False),
        ("ids", _IDS, False),
    ]
    return _known(groups, schema)


def written_on_crops(window: "Window") -> list[str]:
    """Labels that are drawn on the crops at first: of the category both opinions, and the color."""
    taxonomy = window.dataset.taxonomy
    first = attribute_field(taxonomy.attributes[0].id)
    found = [f"{first}_human", f"{first}_proposed"]
    try:
        return [*found, attribute_field(taxonomy.attribute("color").id)]
    except BadTaxonomy:
        return found


def _known(groups: Groups, schema: Any) -> Groups:
    """The groups with fields that there are, each once, and `other` for the rest."""
    taken: set[str] = set()
    found: Groups = []
    for name, paths, expanded in groups:
        if name == "metadata":
            paths = [f"metadata.{part}" for part in ("width", "height", "size_bytes")]
        else:
            paths = [p for p in paths if p not in taken and (p in schema or name == "tags")]
        taken |= set(paths)
        found.append((name, paths, expanded))
    rest = [path for path in schema if path not in taken and path not in ("tags", "metadata")]
    return [*found, ("other", rest, False)]


def _colors(window: "Window") -> list[dict[str, str]]:
    colors = {"": HOLDS, "_human": PEOPLE, "_proposed": TAGGER}
    names = [attribute_field(attribute.id) for attribute in window.dataset.taxonomy.attributes]
    return [
        {"path": f"{name}{suffix}", "fieldColor": color}
        for name in names
        for suffix, color in colors.items()
    ]


def _plain(group: Any) -> tuple[str, list[str], bool | None]:
    return group.name, list(group.paths), group.expanded
