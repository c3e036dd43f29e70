"""One training shared by several processes, on one machine or many, as torchrun starts them.

All of them run the same lines; the first one alone claims, measures time, writes and tells. Who
starts them says in the environment how many there are (WORLD_SIZE) and which this is (RANK).
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import distributed, nn

from finetune.tagger.options import Recipe
from garments.errors import BadSetting, ModelError

T = TypeVar("T")

MEETING = "GARMENTLOOP_MEETING"
"""In the environment: a file by which processes of one machine find each other without a port."""

_LOST = ("Connection closed", "Connection reset", "Broken pipe", "remote process exited")
"""What gloo and NCCL say where another process is gone."""

PATIENCE = timedelta(days=1)
"""The others wait this long for the first one, which looks at all crops before it shares."""


@dataclass(frozen=True)
class Team:
    """The processes of one training; this one is number `rank` of `size`, from 0."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this one writes and tells."""
        return self.rank == 0

    def agreed(self, mine: T) -> T:
        """What the first one says, whatever the others would."""
        if self.size == 1:
            return mine
        said: list[Any] = [mine]
        distributed.broadcast_object_list(said, src=0)
        return said[0]  # type: ignore[no-any-return]

    @torch.no_grad()
    def share(self, net: nn.Module) -> None:
        """Give all the weights that the first one has."""
        if self.size > 1:
            for value in net.state_dict().values():
                whole = value.contiguous()
                distributed.broadcast(whole, src=0)
                value.copy_(whole)

    def wait(self) -> None:
        """Go on when all have come here."""
        if self.size > 1:
            distributed.barrier()

    def share_of(self, batch: int) -> int:
        """Crops of a batch that this one takes."""
        return batch // self.size


def team() -> Team:
    """The one that this process has joined, else itself alone."""
    if not distributed.is_initialized():
        return Team()
    return Team(distributed.get_rank(), distributed.get_world_size())


def started(environment: Mapping[str, str] | None = None) -> Team:
    """What the environment says about the processes that were started, before they have met."""
    found = os.environ if environment is None else environment
    return Team(int(found.get("RANK", "0")), int(found.get("WORLD_SIZE", "1")))


@contextmanager
def joined(recipe: Recipe, device: str) -> Iterator[Team]:
    """Meet the other processes, for as long as the block runs.

    Raises `BadSetting` for a recipe that cannot be shared between so many, and for more of them
    than there are GPUs.
    """
    mine = started()
    if mine.size == 1:
        yield mine
        return
    _expect_shareable(recipe, mine.size, device)
    meeting = os.environ.get(MEETING)
    where: dict[str, Any] = {}
    if meeting:
        where = {"init_method": f"file://{meeting}", "rank": mine.rank, "world_size": mine.size}
    backend = "cpu:gloo,cuda:nccl" if device.startswith("cuda") else "gloo"
    distributed.init_process_group(backend, timeout=PATIENCE, **where)
    try:
        yield team()
    except RuntimeError as error:
        if not any(sign in str(error) for sign in _LOST):
            raise
        raise ModelError(
            f"expected all {mine.size} processes to go on, but one has stopped; mend what it says "
            "and run the same command again to go on"
        ) from error
    finally:
        distributed.destroy_process_group()


def _expect_shareable(recipe: Recipe, size: int, device: str) -> None:
    if recipe.mode == "probe":
        raise BadSetting(
            f"expected --mode lora or full for {size} processes, but got probe, which one process "
            "fits in a minute; leave --processes out, or choose another mode"
        )
    if recipe.batch % size:
        raise BadSetting(
            f"expected a batch that {size} processes can share evenly, but got {recipe.batch}; "
            f"give --batch {-(-recipe.batch // size) * size}"
        )
    here = int(os.environ.get("LOCAL_WORLD_SIZE", size))
    if device.startswith("cuda") and here > torch.cuda.device_count():
        raise BadSetting(
            f"expected a GPU for each of {here} processes, but there are "
            f"{torch.cuda.device_count()}; give --processes {torch.cuda.device_count()}"
        )
