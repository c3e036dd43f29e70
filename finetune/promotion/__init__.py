"""Champion and challenger: who takes whose place, by which rules, and how it is taken back."""

from finetune.promotion.history import RolledBack, rollback
from finetune.promotion.run import promote
from finetune.promotion.verdict import AttributeVerdict, Outcome, PromoteOptions, Verdict

__all__ = [
    "AttributeVerdict",
    "Outcome",
    "PromoteOptions",
    "RolledBack",
    "Verdict",
    "promote",
    "rollback",
]
