"""One training loop for the small image models: resumable, averaged weights, cosine schedule."""

import copy
import json
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from garments.errors import BadSetting
from garments.ids import stable_id
from garments.whole import in_place_of

CHECKPOINT = "checkpoint.pt"
LOG = "log.jsonl"

Batch = tuple[Tensor, ...]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast. The rate falls by a cosine over `steps`, or `minutes` if sooner."""

    steps: int = 9000
    minutes: float = 70.0
    batch: int = 16
    rate: float = 2e-3
    warmup: int = 200
    weight_decay: float = 0.02
    average: float = 0.9985
    evaluate_every: int = 500
    checkpoint_seconds: float = 60.0
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1 or self.minutes <= 0:
            raise BadSetting(
                "expected at least one step, a batch of one and more than 0 minutes, but got "
                f"steps={self.steps}, batch={self.batch}, minutes={self.minutes}"
            )


@dataclass(frozen=True)
class Step:
    """What a training reports: where it is, its mean loss since the last report, its metrics."""

    step: int
    steps: int
    minutes: float
    loss: float
    metrics: dict[str, float]
    finished: bool = False


@dataclass(frozen=True)
class Task:
    """What is trained: the net, batches by step, the loss, and figures of the averaged net.

    `split` cuts a batch into shares, one for each of the schedule's threads; without it the
    threads work inside each operation, which small nets gain nothing from.
    """

    net: nn.Module
    batch: Callable[[np.random.Generator], Batch]
    loss: Callable[[nn.Module, Batch], Tensor]
    evaluate: Callable[[nn.Module], dict[str, float]]
    split: Callable[[Batch, int], list[Batch]] | None = None


class _State:
    """Everything that a checkpoint holds."""

    def __init__(self, net: nn.Module, schedule: Schedule) -> None:
        self.net = net.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.net).eval()
        self.optimizer = torch.optim.AdamW(
            parameter_groups(self.net, schedule.weight_decay), lr=schedule.rate, betas=(0.9, 0.99)
        )
        self.step = 0
        self.seconds = 0.0

    def save(self, path: Path, recipe: str) -> None:
        """Write to a temporary file and rename: a kill leaves the old or the new checkpoint."""
        with in_place_of(path) as temporary:
            torch.save(
                {
                    "recipe": recipe,
                    "step": self.step,
                    "seconds": self.seconds,
                    "net": self.net.state_dict(),
                    "average": self.average.state_dict(),
                    "optimizer": self.optimizer.state_dict(),
                },
                temporary,
            )

    def load(self, path: Path, recipe: str) -> None:
        """Go on from a checkpoint, or refuse one of another recipe."""
        saved = torch.load(path, weights_only=True)
        if saved["recipe"] != recipe:
            raise BadSetting(
                f"expected a checkpoint of this recipe in {path.parent}, but it holds another's; "
                "choose an empty --out folder, or repeat the options it was started with"
            )
        self.step, self.seconds = saved["step"], saved["seconds"]
        self.net.load_state_dict(saved["net"])
        self.average.load_state_dict(saved["average"])
        self.optimizer.load_state_dict(saved["optimizer"])


def train(task: Task, schedule: Schedule, out: Path, recipe: dict[str, Any]) -> Iterator[Step]:
    """Train and yield a report at every evaluation; the averaged net ends in `task.net`.

    Batches depend on the seed and the step alone, so a run that was killed and resumed sees what
    an undisturbed one sees (as long as `steps`, not `minutes`, ends it).
    """
    torch.set_num_threads(1 if task.split else schedule.threads)
    out.mkdir(parents=True, exist_ok=True)
    state = _State(task.net, schedule)
    key = stable_id(json.dumps({**recipe, **asdict(schedule)}, sort_keys=True))
    if (out / CHECKPOINT).exists():
        state.load(out / CHECKPOINT, key)
    losses: list[float] = []
    clock, saved_at = time.monotonic() - state.seconds, time.monotonic()
    for batch in _prefetched(task, schedule, state.step):
        losses.append(_train_step(task, state, batch, schedule))
        state.seconds = time.monotonic() - clock
        last = state.step >= schedule.steps or state.seconds >= schedule.minutes * 60
        if last or state.step % schedule.evaluate_every == 0:
            metrics = task.evaluate(state.average)
            mean = float(np.mean(losses))
            report = Step(state.step, schedule.steps, state.seconds / 60, mean, metrics, last)
            _log(out / LOG, report)
            losses.clear()
            yield report
        if last or time.monotonic() - saved_at > schedule.checkpoint_seconds:
            state.save(out / CHECKPOINT, key)
            saved_at = time.monotonic()
        if last:
            break
    task.net.load_state_dict(state.average.state_dict())


def _backward(task: Task, net: nn.Module, batch: Batch, threads: int) -> float:
    """Gradients of the batch, by several threads where it can be shared; its mean loss."""
    shares = task.split(batch, threads) if task.split else [batch]

    def one(share: Batch) -> float:
        with fast_precision():
            loss = task.loss(net, share) / len(shares)
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    if len(shares) == 1:
        return one(shares[0])
    # autograd adds up gradients of several threads under a lock of each parameter
    with ThreadPoolExecutor(len(shares)) as pool:
        return sum(pool.map(one, shares))


def has_bf16() -> bool:
    """Whether this processor computes in bfloat16."""
    known = torch.cpu.get_capabilities()
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


def fast_precision() -> torch.autocast:
    """bf16 where the processor computes in it, else fp32.

    Measured on small ResNets with channels-last: 1.7 times as fast as fp32 on processors that have
    it, ten times slower on those that have not.
    """
    return torch.autocast("cpu", torch.bfloat16, enabled=has_bf16())


def _train_step(task: Task, state: _State, batch: Batch, schedule: Schedule) -> float:
    spent = max(state.step / schedule.steps, state.seconds / (schedule.minutes * 60))
    warm = min(1.0, (state.step + 1) / schedule.warmup)
    for group in state.optimizer.param_groups:
        group["lr"] = schedule.rate * warm * (0.5 + 0.5 * math.cos(math.pi * min(1.0, spent)))
    state.net.train()
    state.optimizer.zero_grad(set_to_none=True)
    loss = _backward(task, state.net, batch, schedule.threads)
    nn.utils.clip_grad_norm_(state.net.parameters(), 5.0)
    state.optimizer.step()
    state.step += 1
    _update_average(state, schedule.average)
    return loss


@torch.no_grad()
def _update_average(state: _State, decay: float) -> None:
    """Exponential moving average, quicker at the start so that it forgets the random weights."""
    decay = min(decay, (1 + state.step) / (10 + state.step))
    averaged = [v for v in state.average.state_dict().values() if v.is_floating_point()]
    current = [v for v in state.net.state_dict().values() if v.is_floating_point()]
    torch._foreach_lerp_(averaged, current, 1 - decay)


def _prefetched(task: Task, schedule: Schedule, start: int) -> Iterator[Batch]:
    """Batches of the steps from `start` on, prepared in a thread two ahead of the net."""

    def make(step: int) -> Batch:
        return task.batch(np.random.default_rng([schedule.seed, step]))

    with ThreadPoolExecutor(1) as pool:
        waiting = [pool.submit(make, start), pool.submit(make, start + 1)]
        for step in range(start + 2, schedule.steps + 2):
            yield waiting.pop(0).result()
            waiting.append(pool.submit(make, step))


def parameter_groups(net: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weight decay for matrices and kernels, none for biases and norms."""
    learnt = [p for p in net.parameters() if p.requires_grad]
    heavy, light = [p for p in learnt if p.ndim > 1], [p for p in learnt if p.ndim <= 1]
    return [{"params": heavy, "weight_decay": decay}, {"params": light, "weight_decay": 0.0}]


def _log(path: Path, report: Step) -> None:
    with path.open("a") as file:
        file.write(json.dumps(asdict(report)) + "\n")
