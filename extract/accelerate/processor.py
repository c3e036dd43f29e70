"""What the processor can do, as Linux tells it."""

from functools import cache
from pathlib import Path

BF16 = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""Flags of processors that multiply bfloat16 themselves; the last is ARM's."""


@cache
def cpu_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """Flags such as avx512_bf16 and amx_int8; empty where they are not told."""
    return frozenset(_told(cpuinfo, "flags", "Features").split())


@cache
def cpu_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's name; "unknown processor" where it is not told."""
    return _told(cpuinfo, "model name") or "unknown processor"


def _told(cpuinfo: Path, *names: str) -> str:
    """The first core's value of a line with one of these names."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    told = (line.partition(":") for line in lines)
    return next((value.strip() for name, _, value in told if name.strip() in names), "")


def has_bf16(device: str) -> bool:
    """Whether a device multiplies bfloat16 itself; others do it slowly or not at all."""
    if device == "cpu":
        return bool(BF16 & cpu_flags())
    import torch

    return device.startswith("cuda") and torch.cuda.is_bf16_supported()
