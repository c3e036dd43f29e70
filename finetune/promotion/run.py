"""`promote`: a challenger takes over the attributes in which it has shown to be better."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from annotate.in_force import references_in_force
from finetune.evaluate.contenders import Load, asked_attributes
from finetune.evaluate.hear import Tell
from finetune.evaluate.run import Evaluation, evaluate_release
from finetune.promotion.history import alone, newest_rows, promotion_row
from finetune.promotion.judge import judge
from finetune.promotion.verdict import AttributeVerdict, Outcome, PromoteOptions, Verdict
from garments.errors import DatasetError

if TYPE_CHECKING:
    from garments.dataset import Dataset

WHO = "garmentloop promote"


def promote(
    dataset: "Dataset",
    challenger: str,
    release: str | None = None,
    options: PromoteOptions | None = None,
    *,
    load: Load | None = None,
    tell: Tell = lambda done, total: None,
) -> Verdict:
    """Hold a tagger against those in force on the test rows of a release, by default the newest.

    The rules are those of `finetune.promotion.judge`. Where it wins, it is put in force at once
    and for all attributes together, unless it is a dry run; where it does not, the verdict says
    why. Done again, nothing is added. Raises as `evaluate_release` does, and `DatasetError` where
    somebody else changed who is in force meanwhile.
    """
    options = options or PromoteOptions()
    # All attributes, for one that is promoted may limit others.
    found = evaluate_release(
        dataset, release, [challenger], device=options.device, load=load, tell=tell
    )
    asked, _ = asked_attributes(dataset.taxonomy, found.held_out, options.attributes)
    verdicts = tuple(judge(found, challenger, options.margin, asked))
    verdict = Verdict(challenger, found.held_out.name, found.held_out.hash, verdicts)
    return verdict if options.dry_run else _recorded(dataset, verdict, found)


def _recorded(dataset: "Dataset", verdict: Verdict, found: Evaluation) -> Verdict:
    """Write all that was won in one commit; whoever is killed has written all of it or nothing."""
    if not verdict.promoted:
        return verdict
    with alone(dataset):
        verdicts = _still(dataset, verdict, found)
        last = newest_rows(dataset)
        rows = [
            promotion_row(
                one.attribute,
                verdict.challenger,
                one.tagger,
                one.evidence,
                last.get(one.attribute),
                WHO,
            )
            for one in verdicts
            if one.outcome is Outcome.PROMOTED
        ]
        recorded = dataset.catalog.add("promotions", rows)
    return replace(verdict, attributes=tuple(verdicts), recorded=recorded)


def _still(dataset: "Dataset", verdict: Verdict, found: Evaluation) -> Sequence[AttributeVerdict]:
    """The verdicts, as long as those who were compared with are the ones in force."""
    now, before = references_in_force(dataset), found.cast.in_force
    if all(now.get(name) == before.get(name) for name in before):
        return verdict.attributes
    if all(now.get(name) == verdict.challenger for name in verdict.promoted):
        reason = "it was put in force meanwhile"
        return [
            replace(one, outcome=Outcome.IN_FORCE, reason=reason)
            if one.outcome is Outcome.PROMOTED
            else one
            for one in verdict.attributes
        ]
    raise DatasetError(
        "expected the taggers in force to stay while they were compared, but somebody promoted or "
        "took back another one meanwhile; run the same command again"
    )
