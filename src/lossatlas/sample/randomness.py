"""Chance that is lent and given back."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch


@contextmanager
def fixed_randomness(seed: int, *data: object) -> Iterator[None]:
    """Seed every generator that the user's loaders and layers draw from, and put all back afterwards.

    These are Python's, NumPy's and torch's global ones (shuffling, augmentation and dropout draw from them), and those
    that the given data loaders carry themselves.

    >>> before = torch.get_rng_state()
    >>> with fixed_randomness(3):
    ...     _ = torch.rand(1)
    >>> torch.equal(before, torch.get_rng_state())
    True
    """
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the user's loaders draw from it
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices))
        stack.callback(random.setstate, python)
        stack.callback(np.random.set_state, numpy)
        for generator in _carried(data):
            stack.enter_context(_reseeded(generator, seed))
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002, TID251
        torch.random.manual_seed(seed)
        yield


def _carried(data: tuple[object, ...]) -> list[Any]:
    found = {}
    for item in data:
        parts = [item, *(getattr(item, name, None) for name in ("dataset", "sampler", "batch_sampler"))]
        for part in parts:
            for value in getattr(part, "__dict__", {}).values():
                if isinstance(value, (torch.Generator, np.random.Generator)):
                    found[id(value)] = value
    return list(found.values())


@contextmanager
def _reseeded(generator: Any, seed: int) -> Iterator[None]:  # noqa: ANN401 - torch's or NumPy's
    if isinstance(generator, torch.Generator):
        state = generator.get_state()
        generator.manual_seed(seed)
        try:
            yield
        finally:
            generator.set_state(state)
        return
    bits = generator.bit_generator
    numpy_state = bits.state
    bits.state = type(bits)(seed).state
    try:
        yield
    finally:
        bits.state = numpy_state
