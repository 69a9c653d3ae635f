"""The machine: its name, and no more of it than is asked for."""

import importlib.metadata
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from threadpoolctl import threadpool_info, threadpool_limits


def hold_threads(threads: int) -> None:
    """Keep this process, what it starts and every pool of its libraries on so many processors."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    threadpool_limits(threads)
    try:
        import torch
    except ModuleNotFoundError:
        return
    torch.set_num_threads(threads)


def described(packages: Sequence[str] = ("numpy", "scipy", "numba", "torch", "phate", "torchdr")) -> str:
    """Name the processor, the threads in use, the memory, the products' library and the packages."""
    kernels = {f"{pool['internal_api']} {pool.get('architecture', '')}".strip() for pool in threadpool_info()}
    versions = [f"{name} {_version(name)}" for name in packages]
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{_processor()}, {processors} threads, {_memory():.0f} GiB; {', '.join(sorted(kernels))}; "
        f"Python {platform.python_version()}, {', '.join(versions)}; load {os.getloadavg()[0]:.1f} at the start"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def _memory() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"
