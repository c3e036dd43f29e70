"""The annotator of a rehearsal: answers what is true, and errs as often as told."""

from collections.abc import Mapping
from dataclasses import dataclass

from annotate.studio.answers import FormAnswers, Values
from garmentloop.simulate.sets import Accepted
from garments.answers import Answer
from garments.errors import BadSetting
from garments.ids import ID_LENGTH, stable_id
from garments.taxonomy import Attribute, Taxonomy

BAD = "not-a-garment"
"""Why a crop is bad."""

Proposed = Mapping[str, tuple[str, ...] | str]
"""What the form holds when it is opened, by attribute; empty on a blind task."""


@dataclass(frozen=True)
class Annotator:
    """Knows the `truth` about garments.

    What is proposed stays where it is right, and where nothing is known of it; what is wrong or
    missing becomes the truth's own value. A crop of which the truth knows nothing at all, cut where
    no garment is, is called a bad one. With probability `error_rate` an answer is a wrong
    value instead: which ones depends on `seed`, person, garment and attribute alone.
    """

    taxonomy: Taxonomy
    truth: Mapping[str, Accepted]
    error_rate: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.error_rate < 1:
            raise BadSetting(
                f"expected an error rate from 0 to below 1, but got {self.error_rate:g}"
            )

    def answer(self, who: str, garment: str, region: str, proposed: Proposed) -> FormAnswers:
        """The form as `who` leaves it."""
        if garment not in self.truth:
            return FormAnswers({}, "bad_crop", BAD)
        values: Values = {}
        for attribute in self.taxonomy.attributes:
            found = self._value(who, garment, region, attribute, proposed, values)
            if found and self._fits(attribute, found, values):
                values[attribute.id] = found
        return FormAnswers(values)

    def alike(self, garment: str, attribute: str, given: Answer, shown: Answer) -> bool:
        """Whether somebody who answers `given` would leave `shown`: the truth accepts both."""
        accepted = set(self.truth.get(garment, {}).get(attribute, ()))
        return bool(shown) and given <= accepted and shown <= accepted

    def _value(
        self,
        who: str,
        garment: str,
        region: str,
        attribute: Attribute,
        proposed: Proposed,
        values: Values,
    ) -> tuple[str, ...] | str:
        there = proposed.get(attribute.id, ())
        accepted = self.truth.get(garment, {}).get(attribute.id)
        if not accepted:
            return there
        errs = self._chance("errs", who, garment, attribute.id) < self.error_rate
        if errs and (wrong := self._wrong(attribute, region, accepted, values)):
            place = self._chance("how", who, garment, attribute.id)
            return (wrong[int(place * len(wrong))],)
        right = isinstance(there, tuple) and len(there) == 1 and there[0] in accepted
        return there if right else (accepted[0],)

    def _wrong(
        self, attribute: Attribute, region: str, accepted: tuple[str, ...], values: Values
    ) -> list[str]:
        allowed = [v for v in self.taxonomy.allowed(attribute.id, region) if v not in accepted]
        return [value for value in allowed if self._fits(attribute, (value,), values)]

    def _fits(self, attribute: Attribute, found: tuple[str, ...] | str, values: Values) -> bool:
        """Whether a value can stand under what was answered above it."""
        if not attribute.parent or isinstance(found, str):
            return True
        above = values.get(attribute.parent, ())
        return all(attribute.value(value).parent in above for value in found)

    def _chance(self, *what: str) -> float:
        """A number in [0, 1) that is always the same for the same question."""
        return float(int(stable_id("annotator", self.seed, *what), 16) / 16**ID_LENGTH)
