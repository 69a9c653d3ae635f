"""Chance that is lent and given back."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import torch

_GENERATORS = (torch.Generator, random.Random, np.random.Generator, np.random.RandomState)
_MOST_TRANSFORMS = 64


@contextmanager
def fixed_randomness(seed: int, *data: object) -> Iterator[None]:
    """Seed every generator that the user's loaders and layers draw from, and put all back afterwards.

    These are Python's, NumPy's and torch's global ones (shuffling, augmentation and dropout draw from them), and those
    that the given data carry themselves: in attributes, also of data sets in subsets, loaders in wrappers, and transforms.

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
    seen: dict[int, object] = {}
    left = list(data)
    while left:
        item = left.pop()
        if id(item) in seen or isinstance(item, (type, ModuleType, random.SystemRandom)):  # the last has no state
            continue
        seen[id(item)] = item
        if isinstance(item, (list, tuple)):
            # A list of transforms is short; one of samples is long, and holds no generators.
            left.extend(item if len(item) <= _MOST_TRANSFORMS else ())
        elif not isinstance(item, _GENERATORS):
            left.extend(getattr(item, "__dict__", {}).values())
    return [item for item in seen.values() if isinstance(item, _GENERATORS)]


@contextmanager
def _reseeded(generator: Any, seed: int) -> Iterator[None]:  # noqa: ANN401 - one of _GENERATORS
    restore: Callable[[], object]
    if isinstance(generator, torch.Generator):
        restore = partial(generator.set_state, generator.get_state())
        generator.manual_seed(seed)
    elif isinstance(generator, random.Random):
        restore = partial(generator.setstate, generator.getstate())
        generator.seed(seed)
    elif isinstance(generator, np.random.RandomState):
        restore = partial(generator.set_state, generator.get_state())
        generator.seed(seed % 2**32)
    else:
        bits = generator.bit_generator
        restore = partial(setattr, bits, "state", bits.state)
        bits.state = type(bits)(seed).state
    try:
        yield
    finally:
        restore()
