"""int8 is refused, tried, and had where it loses little."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torch import nn

from extract.accelerate.compute import Compute
from extract.accelerate.engines import Runner, Work, noise
from extract.accelerate.normalised import Affine, FromPixels
from garmentloop.int8 import quality, try_int8
from garments.errors import BadInput, BadSetting, ModelError

pytestmark = pytest.mark.skipif(
    None in (find_spec("openvino"), find_spec("nncf")), reason="needs the extra 'speed'"
)

LIKE = torch.zeros(0, dtype=torch.uint8)
SEEN = noise((4, 3, 32, 32), 5, LIKE)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 4, 3))

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor]:
        return (self.layers(pixels),)


class Model:
    """A model of one role, as far as a trial needs it."""

    reference = "hf:some/model"

    def __init__(self, precision: str, seed: int = 0) -> None:
        torch.manual_seed(seed)
        network = FromPixels(Net().eval(), Affine.of((0.5,) * 3, (0.25,) * 3))
        work = Work(network, self._examples, batch=2, name=self.reference)
        self.runner = Runner(work, Compute(engine="openvino", precision=precision))

    def answer(self) -> torch.Tensor:
        parts = self.runner.batches(len(SEEN))
        return torch.cat([out for (out,) in self.runner.run((SEEN[part],) for part in parts)])

    @staticmethod
    def _examples(batch: int):
        return tuple((noise((batch, 3, 32, 32), seed, LIKE),) for seed in (0, 1))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "garmentloop" / "int8"


def tried(model: Model, fall: float, max_loss: float = 0.01):
    found = iter((0.9, 0.9 - fall))

    def measure():
        model.answer()
        return {"garment_found": next(found), "photos": 4}

    return try_int8(measure, [model], "extract", max_loss, {"data": "mine"})


def test_refused_until_it_was_measured_then_had(cache: Path) -> None:
    with pytest.raises(ModelError, match=r"hf:some/model.*evaluate extract --data DIR"):
        Model("int8").answer()
    trial = tried(Model("fp32"), 0.005)
    assert trial.accepted and trial.worst == "garment_found" and "accepted" in str(trial)
    (record,) = cache.glob("*/accepted.json")
    assert json.loads(record.read_text())["int8"]["garment_found"] == pytest.approx(0.895)
    exact, rough = Model("fp32").answer(), Model("int8").answer()
    apart = float((exact - rough).abs().max())
    assert 0 < apart < 0.1 * float(exact.abs().max())
    with pytest.raises(ModelError, match="not accepted"):
        Model("int8", seed=1).answer()  # other weights
    next(cache.glob("*/1/graph.bin")).write_bytes(b"")
    with pytest.raises(ModelError, match="not accepted"):
        Model("int8").answer()


def test_not_had_where_the_loss_is_above_the_bound(cache: Path) -> None:
    trial = tried(Model("fp32"), 0.02)
    assert not trial.accepted and "not accepted" in str(trial)
    assert not cache.exists()
    with pytest.raises(ModelError, match="not accepted"):
        Model("int8").answer()
    assert tried(Model("fp32"), 0.02, max_loss=0.05).accepted


def test_what_cannot_be_tried_says_so() -> None:
    class Rule:
        reference = "rule:color"

    with pytest.raises(BadSetting, match="rule:color has no network"):
        try_int8(dict, [Rule()], "tagger", 0.01, {})
    with pytest.raises(BadInput, match="use more photos"):
        try_int8(dict, [Model("fp32")], "extract", 0.01, {})
    with pytest.raises(BadSetting, match="engine openvino"):
        Compute(engine="torch", precision="int8")


def test_which_figures_count() -> None:
    told = {"items": 3, "color_accuracy": 0.5, "color_weighted_f1": 0.4, "color_ece": 0.1}
    assert quality("tagger", told) == ["color_accuracy", "color_weighted_f1"]
    assert quality("people", {"people_ap50": 0.4, "people": 3}) == ["people_ap50"]
