"""The rules by which a challenger takes the place of the tagger in force, for one attribute.

1. At least 50 labels on at least 20 photos of the test split are shared by all.
2. It is right more often than the tagger in force, and than the settings' zero-shot tagger, by
   more than noise: of the difference in accuracy the 95 % interval (paired bootstrap, photos
   drawn with replacement) lies above 0. A tie is noise.
3. It is calibrated: its expected calibration error is at most 0.05; below 1,000 labels, where
   chance alone gives a larger one, the lower end of its interval is.
4. It does not lose elsewhere by more than the margin against the tagger in force, as measured:
   not in macro F1, not in the accuracy of any region or handle with at least 50 labels, and not
   in that of an attribute under it (sub_category is read under category), unless the challenger
   takes that one over as well.
5. It spares people work: what it proposes, where it does not abstain, is right on no fewer labels,
   by more than the margin, than what the tagger in force proposes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from finetune.evaluate.contenders import CHAMPION, ZERO_SHOT, answers
from finetune.evaluate.figures import Figure, Scored, difference
from finetune.evaluate.hear import Voice
from finetune.evaluate.run import Evaluation
from finetune.evaluate.slices import slices
from finetune.promotion.verdict import AttributeVerdict, Outcome
from garments.measured import ENOUGH_TO_COMPARE

FEWEST_PHOTOS = 20
CALIBRATED = 0.05
ENOUGH = 1000
"""Labels from which a calibration error stands without its interval."""

Voices = Mapping[str, Voice]


def judge(
    evaluation: Evaluation, challenger: str, margin: float, asked: Sequence[str]
) -> list[AttributeVerdict]:
    """A verdict for each of the attributes that are `asked` and were scored, in order.

    Parents come first: what a challenger says about sub_category counts under the category that
    would be in force. Attributes that are not asked stay with whoever is in force.
    """
    bench = _Bench(evaluation, challenger, margin, asked)
    after, found = dict(bench.before), []
    for attribute in evaluation.scored:
        if attribute in asked:
            verdict = bench.verdict(attribute, after)
            if verdict.outcome is Outcome.PROMOTED:
                after[attribute] = bench.mine[attribute]
            found.append(verdict)
    return found


class _Bench:
    """Holds who is in force, and what everybody says."""

    def __init__(
        self, evaluation: Evaluation, challenger: str, margin: float, asked: Sequence[str]
    ) -> None:
        self._evaluation, self._taxonomy, self._margin = evaluation, evaluation.taxonomy, margin
        self._challenger, self._asked = challenger, asked
        contenders = evaluation.contenders
        self.before: Voices = contenders[CHAMPION].voices if CHAMPION in contenders else {}
        self.zero: Voices = contenders[ZERO_SHOT].voices if ZERO_SHOT in contenders else {}
        self.mine: Voices = contenders[challenger].voices if challenger in contenders else {}

    def verdict(self, attribute: str, after: Voices) -> AttributeVerdict:
        """About one attribute, where the voices of `after` would be in force for the others."""
        instead = self._evaluation.cast.in_force.get(attribute, "")
        if leak := self._evaluation.leaks.get(self._challenger):
            return AttributeVerdict(attribute, Outcome.REFUSED, f"a leak: {leak}", instead)
        if attribute not in self.mine:
            return AttributeVerdict(attribute, Outcome.REFUSED, "it does not answer it", instead)
        tagger = self.mine[attribute].versions[attribute].id
        if instead == self._challenger:
            reason = "it is in force for it already"
            return AttributeVerdict(attribute, Outcome.IN_FORCE, reason, instead, tagger)
        if attribute not in self.before:
            reason = "nobody is in force for it, so there is nothing to hold it against"
            return AttributeVerdict(attribute, Outcome.REFUSED, reason, instead, tagger)
        trial = {**after, attribute: self.mine[attribute]}
        reasons, evidence = self._compared(attribute, trial)
        if not reasons:
            reasons = self._children(attribute, trial)
        if reasons:
            text = "; ".join(reasons)
            return AttributeVerdict(attribute, Outcome.REFUSED, text, instead, tagger, evidence)
        text = _won(evidence)
        return AttributeVerdict(attribute, Outcome.PROMOTED, text, instead, tagger, evidence)

    def scored(self, attribute: str, voices: Voices) -> Scored:
        """What these voices say about an attribute."""
        held_out = self._evaluation.held_out
        said = answers(self._taxonomy, held_out, voices)[attribute]
        rows = held_out.labelled(attribute)
        return Scored.of(said, held_out.truths[attribute], rows, held_out.photo_ids)

    def _compared(self, attribute: str, trial: Voices) -> tuple[list[str], dict[str, Any]]:
        """What speaks against it, none if nothing does; and all numbers."""
        mine, champion = self.scored(attribute, trial), self.scored(attribute, self.before)
        evidence = self._evidence(attribute, mine, champion)
        if few := _too_few(evidence):
            return [few], evidence
        reasons = _not_beaten("the tagger in force", evidence, "")
        if attribute in self.zero:
            zero = self.scored(attribute, self.zero)
            evidence |= _numbers("zero_shot_", mine, zero)
            evidence["zero_shot"] = self.zero[attribute].reference
            if evidence["zero_shot"] != evidence["instead_of"]:
                reasons += _not_beaten("the zero-shot tagger", evidence, "zero_shot_")
        reasons += _not_calibrated(mine)
        reasons += self._lost(mine, champion, evidence)
        reasons += self._more_work(mine, champion, evidence)
        return reasons, evidence

    def _evidence(self, attribute: str, mine: Scored, champion: Scored) -> dict[str, Any]:
        held_out, before = self._evaluation.held_out, self.before[attribute]
        found = {
            "release": held_out.name,
            "release_hash": held_out.hash,
            "labels": len(mine),
            "photos": len(set(mine.units)),
            "instead_of": before.reference,
            "instead_of_tagger": before.versions[attribute].id,
            "margin": self._margin,
        }
        if not len(mine):
            return found
        found |= _numbers("", mine, champion)
        for name in ("macro_f1", "ece", "coverage", "precision"):
            found |= _spread(name, mine.figures[name])
        return found | {"macro_f1_before": champion.figures["macro_f1"].value}

    def _lost(self, mine: Scored, champion: Scored, evidence: dict[str, Any]) -> list[str]:
        """Where it is worse by more than the margin: in macro F1 or in a slice."""
        lost, found = {}, []
        gained = evidence["macro_f1"] - evidence["macro_f1_before"]
        if gained < -self._margin:
            found.append(f"macro F1 falls by {-gained:.3f}, more than {self._margin:g}")
        for one in slices(self._evaluation.held_out, mine.rows, ENOUGH_TO_COMPARE):
            there = difference(mine.at(one.places), champion.at(one.places)).value
            lost[f"{one.kind} {one.name}"] = there
            if there < -self._margin:
                found.append(
                    f"in {one.kind} {one.name} it is right on {_points(-there)} fewer of "
                    f"{len(one.places):,} labels, more than {_points(self._margin)}"
                )
        evidence["slices"] = lost
        return found

    def _more_work(self, mine: Scored, champion: Scored, evidence: dict[str, Any]) -> list[str]:
        """Whether people would have to change or fill in more, by more than the margin."""
        now, before = (float(one.spared.mean()) for one in (mine, champion))
        evidence |= {"spared": now, "spared_before": before}
        if now >= before - self._margin:
            return []
        return [
            f"people would have more to do: what it proposes is right on {now:.1%} of the labels "
            f"instead of {before:.1%}, as it abstains more often"
        ]

    def _children(self, attribute: str, trial: Voices) -> list[str]:
        """Attributes under this one that would be answered worse by those who stay in force."""
        found = []
        for child in self._evaluation.scored:
            under = self._taxonomy.attribute(child).parent == attribute
            if not under or child not in self.before:
                continue
            before, now = (self.scored(child, voices) for voices in (self.before, trial))
            gained = difference(now, before).value if len(now) >= ENOUGH_TO_COMPARE else 0.0
            if gained < -self._margin and not self._takes(child, trial):
                found.append(
                    f"{child}, which is read under it, would be right on {_points(-gained)} fewer "
                    f"of {len(now):,} labels, more than {_points(self._margin)}"
                )
        return found

    def _takes(self, child: str, trial: Voices) -> bool:
        return child in self._asked and self.verdict(child, trial).outcome is Outcome.PROMOTED


def _too_few(evidence: Mapping[str, Any]) -> str:
    labels, photos = evidence["labels"], evidence["photos"]
    if labels >= ENOUGH_TO_COMPARE and photos >= FEWEST_PHOTOS:
        return ""
    return (
        f"the test split has {labels:,} labels of it on {photos:,} photos, and it takes "
        f"{ENOUGH_TO_COMPARE} on {FEWEST_PHOTOS}"
    )


def _not_beaten(whom: str, evidence: Mapping[str, Any], prefix: str) -> list[str]:
    low, high = evidence[f"{prefix}difference_low"], evidence[f"{prefix}difference_high"]
    if low > 0:
        return []
    verb = "is worse than" if high < 0 else "does not beat"
    return [
        f"it {verb} {whom} by more than noise: right on {evidence['accuracy']:.1%} instead of "
        f"{evidence[f'{prefix}accuracy_before']:.1%} of {evidence['labels']:,} labels, a "
        f"difference of {_points(low)} to {_points(high)}"
    ]


def _not_calibrated(mine: Scored) -> list[str]:
    error, many = mine.figures["ece"], len(mine) >= ENOUGH
    if (error.value if many else error.low) <= CALIBRATED:
        return []
    spread = "" if many else f" ({error.low:.3f} to {error.high:.3f})"
    return [f"it is not calibrated: its ECE is {error.value:.3f}{spread}, above {CALIBRATED}"]


def _numbers(prefix: str, mine: Scored, other: Scored) -> dict[str, float]:
    return {
        f"{prefix}accuracy_before": float(other.right.mean()),
        **({"accuracy": float(mine.right.mean())} if not prefix else {}),
        **_spread(f"{prefix}difference", difference(mine, other)),
    }


def _spread(name: str, figure: Figure) -> dict[str, float]:
    return {name: figure.value, f"{name}_low": figure.low, f"{name}_high": figure.high}


def _won(evidence: Mapping[str, Any]) -> str:
    low, high = evidence["difference_low"], evidence["difference_high"]
    return (
        f"right on {evidence['accuracy']:.1%} instead of {evidence['accuracy_before']:.1%} of "
        f"{evidence['labels']:,} labels, a difference of {_points(low)} to {_points(high)}"
    )


def _points(share: float) -> str:
    return f"{100 * share:.1f} points"
