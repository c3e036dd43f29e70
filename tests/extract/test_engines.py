"""Engines answer alike, are chosen by themselves, and keep what they converted."""

import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import transformers
from random_checkpoints import save_detr, save_segformer
from torch import nn

from extract.accelerate import compute, kept
from extract.accelerate.compute import Compute
from extract.accelerate.engines import Runner, Work, noise
from extract.accelerate.normalised import Affine, FromPixels, Preparation
from extract.accelerate.segformer import fold_decode_head
from extract.accelerate.streams import Streams
from extract.models import load_detector, load_parser
from garments.errors import BadSetting
from garments.images import decode
from garments.synthetic import draw_street

openvino = pytest.mark.skipif(find_spec("openvino") is None, reason="needs the extra 'speed'")


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor]:
        return (self.conv(pixels).relu(),)


def small_work(seed: int = 0) -> Work:
    torch.manual_seed(seed)
    like = torch.zeros(0, dtype=torch.uint8)

    def examples(batch: int):
        sizes = ((16, 24), (24, 16))
        return tuple((noise((batch, 3, *size), i, like),) for i, size in enumerate(sizes))

    network = FromPixels(Small().eval(), Affine.of((0.5,) * 3, (0.25,) * 3))
    return Work(network, examples, batch=4)


def pixels(*sizes: tuple[int, ...]) -> list[tuple[torch.Tensor]]:
    like = torch.zeros(0, dtype=torch.uint8)
    return [(noise((n, 3, h, w), i, like),) for i, (n, h, w) in enumerate(sizes)]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "garmentloop" / "graphs"


@openvino
def test_engines_answer_alike_whatever_the_sizes(cache: Path) -> None:
    batches = pixels((1, 16, 24), (4, 20, 20), (1, 30, 8), *[(1, 16, 24)] * 4, (1, 8, 8))
    exact = Runner(small_work(), Compute(engine="torch", precision="fp32")).run(batches)
    for engine, precision, apart in (
        ("openvino", "fp32", 1e-4),
        ("openvino", "bf16", 0.1),
        ("torch", "bf16", 0.1),
    ):
        got = Runner(small_work(), Compute(engine=engine, precision=precision)).run(batches)
        for (mine,), (theirs,) in zip(got, exact, strict=True):
            assert mine.dtype == torch.float32
            torch.testing.assert_close(mine, theirs, atol=apart, rtol=0.02)


@openvino
def test_what_was_converted_is_read_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from extract.accelerate import graphs

    converted = []
    real = graphs.converted
    monkeypatch.setattr(graphs, "converted", lambda *a: converted.append(a) or real(*a))
    how = Compute(engine="openvino", precision="fp32")
    batches = pixels((1, 16, 24), (4, 16, 24))
    first = Runner(small_work(), how).run(batches)
    assert len(converted) == 2 and len(list(cache.iterdir())) == 2  # one for each size of batch
    for (mine,), (theirs,) in zip(Runner(small_work(), how).run(batches), first, strict=True):
        torch.testing.assert_close(mine, theirs)
    assert len(converted) == 2
    Runner(small_work(1), how).run(batches[:1])  # other weights
    assert len(converted) == 3
    for path in cache.glob(f"*/{kept.WEIGHTS}"):
        path.write_bytes(path.read_bytes()[:-8])
    Runner(small_work(), how).run(batches)
    assert len(converted) == 5
    Runner(small_work(), how).run(batches)
    assert len(converted) == 5


WRITER = """
import sys
from pathlib import Path
from unittest import mock
from extract.accelerate import kept
def stuck(graph, xml, bin):
    Path(xml).write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
with mock.patch("openvino.serialize", stuck):
    kept.write("key", None)
"""


@openvino
def test_a_kill_while_writing_leaves_nothing_behind_that_counts(cache: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None and child.stdout.readline() == "writing\n"
        child.send_signal(signal.SIGKILL)
    assert kept.read("key") is None and len(list(cache.iterdir())) == 1
    (half,) = cache.iterdir()
    long_ago = time.time() - 2 * kept.ABANDONED
    os.utime(half, (long_ago, long_ago))
    Runner(small_work(), Compute(engine="openvino")).run(pixels((1, 16, 24)))
    assert not half.exists() and len(list(cache.iterdir())) == 1


def test_where_nothing_can_be_kept_it_runs_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    ((answer,),) = Runner(small_work(), Compute()).run(pixels((1, 16, 24)))
    assert answer.shape == (1, 4, 16, 24)


@openvino
def test_the_graphs_used_longest_ago_go_first(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    how = Compute(engine="openvino", precision="fp32")
    Runner(small_work(0), how).run(pixels((1, 16, 24)))
    (first,) = cache.iterdir()
    os.utime(first, (1, 1))
    monkeypatch.setattr(kept, "MOST_BYTES", 1)
    Runner(small_work(1), how).run(pixels((1, 16, 24)))
    assert not first.exists()


def test_what_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"openvino": True, "bf16": True}
    monkeypatch.setattr(compute, "find_spec", lambda name: there[name] or None)
    monkeypatch.setattr(compute, "has_bf16", lambda device: there["bf16"])
    assert (Compute().chosen_engine, Compute().chosen_precision) == ("openvino", "bf16")
    assert Compute("cuda").chosen_engine == "torch"
    assert Compute(engine="torch", precision="fp32").chosen_precision == "fp32"
    starter = Compute().for_starter()
    assert (starter.chosen_engine, starter.chosen_precision) == ("torch", "fp32")
    assert Compute(engine="openvino").for_starter().chosen_engine == "openvino"
    with pytest.raises(BadSetting, match="device cpu"):
        Compute("cuda", engine="openvino")
    there |= {"openvino": False, "bf16": False}
    assert (Compute().chosen_engine, Compute().chosen_precision) == ("torch", "fp32")
    with pytest.raises(BadSetting, match=r"pip install 'garmentloop\[speed\]'"):
        Compute(engine="openvino")


def test_identities_change_with_what_is_asked_for_alone() -> None:
    assert Compute().identity("x") == Compute(precision="fp32").identity("x") == "x"
    assert Compute(precision="bf16").identity("x") != "x"


def test_batches_that_an_engine_likes() -> None:
    whole = Runner(small_work(), Compute(engine="torch")).batches(3)
    assert [part.stop - part.start for part in whole] == [1, 1, 1]
    if find_spec("openvino"):
        parts = Runner(small_work(), Compute(engine="openvino")).batches(6)
        assert [part.stop - part.start for part in parts] == [4, 1, 1]


def test_processors_are_followed_or_left_alone() -> None:
    pictures = [np.random.default_rng(0).integers(0, 256, (60, 40, 3), dtype=np.uint8)]
    plain = transformers.SegformerImageProcessor(size={"height": 32, "width": 32})
    prepare = Preparation(plain)
    assert prepare(pictures).dtype == torch.uint8 and prepare.affine is not None
    (got,) = FromPixels(_Same(), prepare.affine)(prepare(pictures))
    tensor = torch.from_numpy(pictures[0]).permute(2, 0, 1)
    expected = plain(tensor, return_tensors="pt")["pixel_values"]
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=0)
    strange = Preparation(_Doubling(plain))
    assert strange.affine is None and strange(pictures).dtype == torch.float32


class _Same(nn.Module):
    def forward(self, values: torch.Tensor) -> tuple[torch.Tensor]:
        return (values,)


class _Doubling:
    """An image processor that does something else than it says."""

    def __init__(self, plain: object) -> None:
        self.plain = plain

    def __getattr__(self, name: str) -> object:
        return getattr(self.plain, name)

    def __call__(self, *arguments: object, **options: object) -> dict[str, torch.Tensor]:
        made = self.plain(*arguments, **options)  # type: ignore[operator]
        return {"pixel_values": 2.0 * made["pixel_values"]}


@openvino
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_starters_answer_alike_on_both_engines(precision: str) -> None:
    photo = draw_street(3, size=(240, 320), people=1).pixels
    crops = np.stack([cv2.resize(photo, (256, 256))] * 2)
    for load, ask in (
        (load_detector, lambda one: one.detect([photo])[0].boxes[0]),
        (load_parser, lambda one: one.parse(crops)),
    ):
        expected = ask(load("starter", "cpu"))
        got = ask(load("starter", "cpu", engine="openvino", precision=precision))
        apart = np.abs(got - expected)
        assert apart.mean() < (1e-2 if precision == "fp32" else 2), apart.mean()
    assert load_parser("starter", precision="bf16").fingerprint.endswith("-bf16")


def _photos() -> list[np.ndarray]:
    return [draw_street(seed, size=(150, 200), people=1).pixels for seed in range(2)]


def test_folded_head_has_the_same_argmax_on_drawn_photos(tmp_path: Path) -> None:
    assert _argmax_equal(save_segformer(tmp_path), _photos()) == 1


def test_folded_head_has_the_same_argmax_on_real_photos(tmp_path: Path, shared_data) -> None:
    paths = sorted((shared_data("ccp") / "photos").glob("*.jpg"))[:4]
    photos = [decode(path.read_bytes(), longest=512).pixels for path in paths]
    assert photos
    assert _argmax_equal(save_segformer(tmp_path), photos) == 1


def _argmax_equal(folder: Path, photos: list[np.ndarray]) -> float:
    """Share of pixels whose label is the same before and after folding."""
    model = transformers.AutoModelForSemanticSegmentation.from_pretrained(folder).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    inputs = processor(images=photos, return_tensors="pt")
    with torch.inference_mode():
        before = model(**inputs).logits.argmax(dim=1)
        assert fold_decode_head(model)
        after = model(**inputs).logits.argmax(dim=1)
    assert len(before.unique()) > 3
    return float((before == after).float().mean())


@openvino
def test_detections_do_not_depend_on_sizes_in_company(tmp_path: Path) -> None:
    folder = save_detr(tmp_path)
    photos = [*_photos(), *(np.ascontiguousarray(p.transpose(1, 0, 2)) for p in _photos())]
    found = [
        load_detector(f"dir:{folder}", "cpu", engine=engine, precision="fp32").detect(photos)
        for engine in ("torch", "openvino")
    ]
    for ours, theirs in zip(*found, strict=True):
        assert len(ours.scores) == len(theirs.scores) > 0
        np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=0.1)


@openvino
@pytest.mark.skipif(find_spec("nncf") is None, reason="needs the extra 'speed'")
def test_a_detector_that_was_accepted_in_int8_is_found_again(cache: Path, tmp_path: Path) -> None:
    from extract.accelerate.int8 import quantise

    name = f"dir:{save_detr(tmp_path / 'detr')}"
    tried = load_detector(name, "cpu", "openvino", "fp32", padded=True)
    tried.runner.heard = []
    tried.detect(_photos())
    quantise(tried.runner).accept({})
    had = load_detector(name, "cpu", precision="int8")
    assert len(had.detect(_photos())) == 2 and "int8" in had.runner.engine.name


def test_torch_on_two_cores_answers_as_on_one() -> None:
    threads = torch.get_num_threads()
    random = np.random.default_rng(0)
    photos = [random.integers(0, 255, (240, 160 + 8 * n, 3), dtype=np.uint8) for n in range(12)]
    crops = random.integers(0, 255, (12, 256, 256, 3), dtype=np.uint8)
    answers = []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            detector, parser = load_detector("starter", "cpu"), load_parser("starter", "cpu")
            answers.append((detector.detect(photos), parser.parse(crops)))
            assert torch.get_num_threads() == count, "others' threads were changed"
    finally:
        torch.set_num_threads(threads)
    (found, parts), (found_too, parts_too) = answers
    assert np.array_equal(parts, parts_too)
    for one, other in zip(found, found_too, strict=True):
        assert np.array_equal(one.boxes, other.boxes) and np.array_equal(one.scores, other.scores)


def test_streams_keep_order_and_pass_errors_on() -> None:
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        streams = Streams()
        seen = streams.map(lambda n: (n, torch.get_num_threads()), range(20))
        assert seen == [(n, 1) for n in range(20)]
        with pytest.raises(ZeroDivisionError):
            streams.map(lambda n: 1 / n, [1, 0, 2])
        assert streams.map(str, [1]) == ["1"] and streams.map(str, []) == []
    finally:
        torch.set_num_threads(threads)
