"""Who may take part in a rehearsal: no backbone that has seen the set before."""

from garments.errors import BadSetting, UnknownModel
from garments.references import Reference, Source


def expect_unseen(backbone: str, name: str) -> str:
    """Raise `BadSetting` where the backbone's card lists the set `name`; else a note, or "".

    A checkpoint that says nothing of its data is taken, with a note that says so. `UnknownModel`
    for a model of another data set.
    """
    from annotate.finetuned.backbones import sets_seen

    if Reference.parse(backbone).source is Source.TRAINED:
        raise UnknownModel(
            f"expected a backbone from outside for a new data set, but got {backbone}; give "
            "dir:PATH of that model's folder"
        )
    sets = sets_seen(backbone)
    if sets is None:
        return f"{backbone} does not say what it was trained on: it may have seen {name}"
    family = name.partition(":")[0]
    if name in sets or family in sets:
        raise BadSetting(
            f"expected a backbone that never saw {name}, but {backbone} was trained on "
            f"{', '.join(sets)}; rehearse on another set or give another --backbone"
        )
    return ""
