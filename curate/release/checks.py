"""What must be so before a release is written."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from curate.release.choose import WORDS, Choice, LeftOut, choose
from curate.release.figures import MUST_NOT, shared
from garments.errors import DatasetError

if TYPE_CHECKING:
    from garments.dataset import Dataset


def chosen(dataset: "Dataset", licences: Sequence[str]) -> Choice:
    """What goes in; `DatasetError` when nothing does, or when a photo stands in two splits."""
    choice = choose(dataset, licences)
    expect_some(choice)
    for found in shared(choice):
        if found.what in MUST_NOT and found.count:
            raise DatasetError(
                f"expected splits that share nothing, but {' and '.join(found.splits)} share "
                f"{found.count:,} {found.what}(s); make the split again with "
                f"`garmentloop curate split --dataset {dataset.folder}`"
            )
    return choice


def expect_some(choice: Choice) -> None:
    """Raise `DatasetError` where nothing is left to release; it says what to do."""
    if choice.items:
        return
    reasons = choice.reasons()
    if not reasons:
        raise DatasetError(
            "expected garments to release, but the data set has none; extract photos or import a "
            "set first"
        )
    why = ", ".join(f"{count:,} {WORDS[reason]}" for reason, count in reasons.items())
    advised = [reason for reason in reasons if reason in _ADVICE]
    most = max(advised, key=lambda reason: reasons[reason], default=None)
    advice = _ADVICE[most] if most else ""
    raise DatasetError(f"expected garments to release, but none is left: {why}{advice}")


_ADVICE = {
    LeftOut.NO_SPLIT: "; run `garmentloop curate split` first",
    LeftOut.LICENCE: "; leave --licence out, or name one that their sources state",
    LeftOut.UNLABELLED: "; label some with `garmentloop annotate push`, or import labelled ones",
    LeftOut.NO_PICTURE: "; extract the photos again",
}
"""What to do about it."""
