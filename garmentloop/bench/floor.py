"""What a photo's networks would take if multiplying matrices were all that they did.

The products of convolutions, linear layers and attention are written down while torch runs the
networks; a convolution counts as the product that it is after im2col. `peak` is the quickest of
square products, `seconds_of` multiplies matrices of the layers' own sizes, each by itself, which on
processors with AMX takes far longer than their operations would at the speed of that one.
"""

import math
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from garmentloop.bench.ways import Ours, seconds
from garments.images import size_of

Product = tuple[int, int, int, int]
"""B products of (M, K) by (K, N) matrices, as (B, M, K, N)."""

MATRIX = 4096
TRIES = 5
ATEN: Any = torch.ops.aten


class Products(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the products of matrices while it is entered."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seen: Counter[Product] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        answer = func(*args, **(kwargs or {}))
        self.seen.update(_products(func.overloadpacket, args, answer))
        return answer


def _products(operation: Any, args: Any, answer: Any) -> list[Product]:
    """The products that one operation of torch consists of."""
    if operation in (ATEN.conv2d, ATEN.convolution):
        images, weights = args[:2]
        groups = images.shape[1] // weights.shape[1]
        count, channels, height, width = answer.shape
        return [(groups, count * height * width, weights[0].numel(), channels // groups)]
    if operation == ATEN.linear:
        rows, weights = args[:2]
        return [(1, rows.numel() // rows.shape[-1], rows.shape[-1], weights.shape[0])]
    if operation in (ATEN.mm, ATEN.addmm, ATEN.bmm, ATEN.baddbmm):
        one, other = args[-2:]
        return [(one.shape[0] if one.dim() == 3 else 1, *one.shape[-2:], other.shape[-1])]
    if "scaled_dot_product" in str(operation):
        query, key = args[:2]
        heads, (rows, width), keys = query.shape[0] * query.shape[1], query.shape[2:], key.shape[2]
        return [(heads, rows, width, keys), (heads, rows, keys, width)]
    return []


def products(folder: Path) -> Counter[Product]:
    """The products of the networks of `garmentloop.bench.ways` for the photo of middle size."""
    with _on_one_core(), _attention_in_parts():  # what other threads do is not seen
        ours = Ours(folder, "torch", "fp32")
        photos = [path.read_bytes() for path in (folder / "photos").iterdir()]
        photo = sorted(photos, key=lambda one: math.prod(size_of(one)))[len(photos) // 2]
        ours.run([photo])  # reads the texts
        counting = Products()
        with counting, torch.inference_mode():
            ours.run([photo])
    return counting.seen


@contextmanager
def _attention_in_parts() -> Iterator[None]:
    """Torch's fused attention of whole layers would hide its products."""
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(True)


def gflop(counted: Counter[Product]) -> float:
    """Billions of operations; a multiplication with an addition counts as two."""
    return sum(times * 2 * b * m * k * n for (b, m, k, n), times in counted.items()) / 1e9


def peak(device: str = "cpu", most: int = MATRIX) -> float:
    """GFLOP/s of the quickest product in bf16, of square matrices of up to `most` rows."""
    sides = [side for side in (512, 1024, 2048) if side < most] + [most]
    return max(2 * side**3 / _quickest((1, side, side, side), device) / 1e9 for side in sides)


def seconds_of(counted: Counter[Product]) -> float:
    """Seconds of all products in bf16 on one core, each at its own size.

    Without depthwise convolutions, which are no products of matrices.
    """
    with _on_one_core():
        return sum(
            times * _quickest(product) for product, times in counted.items() if product[3] > 1
        )


@contextmanager
def _on_one_core() -> Iterator[None]:
    everybody, threads = os.sched_getaffinity(0), torch.get_num_threads()
    os.sched_setaffinity(0, {min(everybody)})
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        os.sched_setaffinity(0, everybody)


def _quickest(product: Product, device: str = "cpu") -> float:
    b, m, k, n = product
    one, other = torch.randn(b, m, k, device=device), torch.randn(b, k, n, device=device)
    one, other = one.bfloat16(), other.bfloat16()
    if b == 1:
        one, other = one[0], other[0]
    cuda: Any = torch.cuda  # parts of it are not typed

    def multiply() -> None:
        one @ other
        if device == "cuda":
            cuda.synchronize()

    return min(seconds(multiply) for _ in range(TRIES))
