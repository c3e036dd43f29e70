"""The table of steps: what a round does under which name, in the order of `garmentloop.loop`."""

from garmentloop.loop import ORDER, models, people, train
from garmentloop.loop.context import Step

_DOERS: dict[str, Step] = {
    "propose": models.propose_step,
    "select": people.select_step,
    "push": people.push_step,
    "wait": people.wait_step,
    "pull": people.pull_step,
    "measure": people.measure_step,
    "sync": people.sync_step,
    "split": models.split_step,
    "release": models.release_step,
    "finetune": train.finetune_step,
    "evaluate": train.evaluate_step,
    "promote": train.promote_step,
    "prelabel": models.prelabel_step,
    "refresh": people.refresh_step,
    "report": models.report_step,
}

STEPS: dict[str, Step] = {name: _DOERS[name] for name in ORDER}
"""All of them; a rehearsal puts others in the place of those in which people take part."""
