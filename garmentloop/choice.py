"""Which models a new data set starts with: the real checkpoints, or the small ones that ship."""

from collections.abc import Callable
from dataclasses import dataclass

from garments.errors import BadSetting

STARTER, REAL = "starter", "real"


@dataclass(frozen=True)
class Download:
    """A checkpoint of the hub for one role, and about how many megabytes are fetched for it."""

    role: str
    reference: str
    megabytes: int


REAL_MODELS = (
    Download("detector", "hf:facebook/detr-resnet-50", 167),
    Download("parser", "hf:mattmdjaga/segformer_b2_clothes", 110),
    Download("tagger", "hf:patrickjohncyh/fashion-clip", 605),
)
"""What `--models real` sets: who finds people, who tells garments apart, who proposes labels."""


@dataclass(frozen=True)
class Choice:
    """References by role, and a sentence that says why, empty where the user named them."""

    models: dict[str, str]
    why: str = ""


def named(models: str) -> Choice:
    """The models that `--models` names; `BadSetting` for anything but real and starter."""
    if models == STARTER:
        return Choice(dict.fromkeys((model.role for model in REAL_MODELS), STARTER))
    if models == REAL:
        chosen = {model.role: model.reference for model in REAL_MODELS}
        return Choice(chosen, f"They are fetched from the hub at their first use ({sizes()}).")
    raise BadSetting(
        f"expected --models real or starter, but got {models!r}; name single models by "
        "--detector, --parser and --tagger"
    )


def chosen(terminal: bool, hub: Callable[[], bool], agrees: Callable[[str], bool]) -> Choice:
    """The models of a user who named none.

    `terminal`: somebody is there to be asked. `hub` tells whether the hub answers (it may take
    seconds, so it is asked last), `agrees` puts a question and returns yes or no.
    """
    if not terminal:
        return _starter("nobody could be asked whether the larger ones may be fetched")
    if not hub():
        return _starter("the model hub cannot be reached")
    if agrees(f"Use the large models of the hub? They are fetched at first use: {sizes()}."):
        return named(REAL)
    return _starter("as you wish")


def sizes() -> str:
    """What the real checkpoints weigh, in words."""
    each = ", ".join(
        f"{model.reference.rpartition('/')[2]} {model.megabytes} MB" for model in REAL_MODELS
    )
    return f"{each}; {sum(model.megabytes for model in REAL_MODELS) / 1000:.1f} GB in all"


def _starter(reason: str) -> Choice:
    why = f"It uses the small models that ship with garmentloop ({reason})."
    return Choice(named(STARTER).models, f"{why} For the large ones: --models real.")
