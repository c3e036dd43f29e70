"""`transformers.Trainer` for a tagger: our loss, averaged weights, threads that share a batch."""

import copy
import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from annotate.finetuned.net import TaggerNet
from finetune.loop import fast_precision, parameter_groups
from finetune.tagger.losses import Loss
from finetune.tagger.mixing import mixed
from finetune.tagger.options import Recipe
from finetune.tagger.processes import team
from garments.errors import ModelError
from garments.whole import write_whole

AVERAGE = "average.safetensors"
"""The moving average of the weights, in a checkpoint."""

WHOLE = "whole"
"""Written last into a checkpoint: one without it was being written when the run was killed."""

TARGETS = ("values", "known", "allowed")


class TaggerTrainer(Trainer):
    """Trains a `TaggerNet`; evaluation and the end result are of the averaged weights."""

    def __init__(self, net: TaggerNet, loss: Loss, recipe: Recipe, **given: Any) -> None:
        """The recipe's `threads` share each batch on a processor."""
        self.average = copy.deepcopy(net).eval()
        self._loss, self._recipe = loss, recipe
        super().__init__(model=net, **given)
        self.average.to(self.args.device)

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        """safetensors refuses kernels whose channels come last."""
        net: Any = self.accelerator.unwrap_model(self.model)
        whole = {k: v.contiguous() for k, v in (state_dict or net.state_dict()).items()}
        super()._save(output_dir, whole)

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """AdamW, without decay of biases and norms."""
        if self.optimizer is None:
            net: Any = self.model
            groups = parameter_groups(net, self.args.weight_decay)
            self.optimizer = torch.optim.AdamW(
                groups, lr=self.args.learning_rate, betas=(0.9, 0.99)
            )
        return self.optimizer

    def compute_loss(  # type: ignore[override]
        self, model: nn.Module, inputs: Mapping[str, Tensor], return_outputs: bool = False, **_: Any
    ) -> Any:
        """The mean loss of a batch; `ModelError` where it is no number any more."""
        logits = model(inputs["pixels"])
        loss = self._loss(logits, *(inputs[name] for name in TARGETS))
        if not math.isfinite(float(loss.detach())):
            raise ModelError(
                f"expected a loss that is a number, but at step {self.state.global_step} it is "
                f"{float(loss.detach())}; begin again with a lower --rate, or look for damaged "
                "weights in the backbone. The model in force is untouched"
            )
        return (loss, logits) if return_outputs else loss

    def training_step(
        self, model: nn.Module, inputs: Any, num_items_in_batch: Any = None
    ) -> Tensor:
        """One step back and forth; on a processor the batch is shared between threads.

        A small network gains nothing from threads within an operation. Autograd adds up gradients
        of several threads under a lock of each parameter.
        """
        inputs = self._mixed(inputs)
        shares = min(self._recipe.threads, len(inputs["pixels"]) // 2)
        if self.args.device.type != "cpu" or shares < 2:
            return super().training_step(model, inputs, num_items_in_batch)
        if team().size > 1:  # each of them is a thread already
            with fast_precision():
                return super().training_step(model, inputs, num_items_in_batch)
        model.train()

        def one(share: dict[str, Tensor]) -> Tensor:
            with fast_precision():
                loss: Tensor = self.compute_loss(model, share) / shares
            loss.backward()  # type: ignore[no-untyped-call]
            return loss.detach()

        parts = [{k: v[turn::shares] for k, v in inputs.items()} for turn in range(shares)]
        with ThreadPoolExecutor(shares) as pool:
            return sum(pool.map(one, parts), torch.zeros(()))

    def _mixed(self, inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """At times pictures mixed in pairs, by seed and step alone."""
        rng = np.random.default_rng([self._recipe.seed, self.state.global_step])
        return mixed(inputs, rng) if rng.random() < self._recipe.mix else inputs

    def evaluation_loop(self, *given: Any, **named: Any) -> Any:
        """Measures the average of the first process: norms of the others saw other crops."""
        team().share(self.average)
        return super().evaluation_loop(*given, **named)

    def prediction_step(
        self, model: nn.Module, inputs: Any, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Loss, logits (N, L) and, side by side, values, allowed and known (N, 2 L + A)."""
        given = self._prepare_inputs(inputs)
        with torch.no_grad():
            loss, logits = self.compute_loss(self.average, given, return_outputs=True)
        known = [given[name].float() for name in ("values", "allowed", "known")]
        return loss, logits, torch.cat(known, dim=1)

    @torch.no_grad()
    def update_average(self) -> None:
        """Move the average on, quicker at the start so that it forgets where it began."""
        step = self.state.global_step
        decay = min(self._recipe.average, (1 + step) / (10 + step))
        mine, theirs = (
            [v for v in net.state_dict().values() if v.is_floating_point()]
            for net in (self.average, self.accelerator.unwrap_model(self.model))
        )
        torch._foreach_lerp_(mine, theirs, 1 - decay)

    def save_average(self, folder: Path) -> None:
        """Add the average to a checkpoint, then the mark that it is whole."""
        from safetensors.torch import save_file

        save_file(
            {k: v.contiguous() for k, v in self.average.state_dict().items()}, folder / AVERAGE
        )
        (folder / WHOLE).touch()

    def load_average(self, folder: Path) -> None:
        """Take the average of a checkpoint."""
        from safetensors.torch import load_file

        self.average.load_state_dict(load_file(folder / AVERAGE))


Tell = Callable[[int, int, float | None, Mapping[str, float]], None]
"""Is told steps done, steps in all, the newest loss and the newest figures."""


class Clock:
    """Seconds that a training has taken, those before a kill among them."""

    def __init__(self, path: Path) -> None:
        """`path` is where they are kept."""
        self._path, self._begin = path, time.monotonic()
        self._before = float(path.read_text()) if path.is_file() else 0.0

    def __call__(self) -> float:
        """Seconds until now."""
        return self._before + time.monotonic() - self._begin

    def keep(self) -> None:
        """Write them down."""
        write_whole(self._path, f"{self():.1f}")


class Following(TrainerCallback):
    """Keeps average, epochs and time, and tells how far it is."""

    def __init__(self, rows: Any, tell: Tell, seconds: float | None, spent: Clock) -> None:
        """`rows` is shown otherwise each epoch; it ends after so many `seconds`."""
        self.trainer: TaggerTrainer | None = None
        self.begun = False
        self._rows, self._tell, self._seconds, self._spent = rows, tell, seconds, spent
        self._loss: float | None = None

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Another look at the same pictures."""
        self.begun = True
        self._rows.epoch = round(state.epoch or 0)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Move the average on, and stop where time is up."""
        assert self.trainer is not None
        self.trainer.update_average()
        self._tell(state.global_step, state.max_steps, self._loss, {})
        if self._seconds is not None and team().agreed(self._spent() >= self._seconds):
            control.should_evaluate = control.should_save = True
            control.should_training_stop = True

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any
    ) -> None:
        """Remember the loss."""
        logs = given.get("logs") or {}
        self._loss = logs.get("loss", self._loss)

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any
    ) -> None:
        """Tell what was measured."""
        figures = {k.removeprefix("eval_"): v for k, v in (given.get("metrics") or {}).items()}
        self._tell(state.global_step, state.max_steps, self._loss, figures)

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Make the checkpoint whole, and write the time down."""
        assert self.trainer is not None and args.output_dir is not None
        team().wait()  # each process adds the state of its own chance
        if team().first:
            self._spent.keep()
            self.trainer.save_average(Path(args.output_dir) / f"checkpoint-{state.global_step}")
        team().wait()  # nobody reads it before it is whole
