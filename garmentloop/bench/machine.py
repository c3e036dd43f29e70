"""Which machine figures are of."""

import os

from extract.accelerate.processor import cpu_flags, cpu_name

TELLING = frozenset({"avx2", "avx512_bf16", "avx512_vnni", "amx_bf16", "amx_int8"})
"""Abilities of a processor that change how quickly networks run."""


def machine() -> str:
    """Cores, processor, its abilities, memory, and GPU, in one line."""
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    able = ", ".join(sorted(TELLING & cpu_flags())) or "none of the abilities that count"
    return f"{cores} cores of {cpu_name()} ({able}), {memory:.0f} GiB, {gpu}"
