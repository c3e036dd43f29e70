"""The loop: rounds in which people correct what a tagger proposes, and a better one takes over."""

ORDER = (
    "propose",
    "select",
    "push",
    "wait",
    "pull",
    "measure",
    "sync",
    "split",
    "release",
    "finetune",
    "evaluate",
    "promote",
    "prelabel",
    "refresh",
    "report",
)
"""The steps of a round in their order; `garmentloop.loop.steps` has what each does."""
