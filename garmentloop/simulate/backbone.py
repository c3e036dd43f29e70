"""Who may take part in a rehearsal: no backbone that has seen the set before."""

from garments.errors import BadSetting, UnknownModel
from garments.modelfolder import CONFIG, read_raw_config
from garments.references import Reference, Source

STARTER_SETS = ("fashion_products", "ccp", "street:train")
"""What the starter was trained on, as its card says."""


def expect_unseen(backbone: str, name: str) -> str:
    """Raise `BadSetting` where the backbone's card lists the set `name`; else a note, or "".

    A checkpoint whose folder says nothing of its data is taken, with a note that says so.
    """
    sets = trained_on(backbone)
    if sets is None:
        return f"{backbone} does not say what it was trained on: it may have seen {name}"
    family = name.partition(":")[0]
    if name in sets or family in sets:
        raise BadSetting(
            f"expected a backbone that never saw {name}, but {backbone} was trained on "
            f"{', '.join(sets)}; rehearse on another set or give another --backbone"
        )
    return ""


def trained_on(backbone: str) -> tuple[str, ...] | None:
    """Names of the sets that a backbone was trained on, None where it does not say."""
    parsed = Reference.parse(backbone)
    if parsed.source is Source.STARTER:
        return STARTER_SETS
    if parsed.source is Source.TRAINED:
        raise UnknownModel(
            f"expected a backbone from outside for a new data set, but got {backbone}; give "
            "dir:PATH of that model's folder"
        )
    if parsed.source is not Source.FOLDER or not (parsed.folder / CONFIG).is_file():
        return None
    settings = read_raw_config(parsed.folder).get("settings")
    said = settings.get("trained_on") if isinstance(settings, dict) else None
    sets = said.get("sets") if isinstance(said, dict) else None
    return tuple(str(one) for one in sets) if isinstance(sets, list) else None
