"""Chance that is lent and given back."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
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
    before = _state(generator)
    if isinstance(generator, torch.Generator):
        generator.manual_seed(seed)
    elif isinstance(generator, random.Random):
        generator.seed(seed)
    elif isinstance(generator, np.random.RandomState):
        generator.seed(seed % 2**32)
    else:
        bits = generator.bit_generator
        bits.state = type(bits)(seed).state
    try:
        yield
    finally:
        _set_state(generator, before)


def _state(generator: Any) -> Any:  # noqa: ANN401 - one of _GENERATORS
    if isinstance(generator, torch.Generator):
        return generator.get_state()
    if isinstance(generator, random.Random):
        return generator.getstate()
    return generator.get_state() if isinstance(generator, np.random.RandomState) else generator.bit_generator.state


def _set_state(generator: Any, state: Any) -> None:  # noqa: ANN401 - one of _GENERATORS
    if isinstance(generator, torch.Generator):
        generator.set_state(state)
    elif isinstance(generator, random.Random):
        generator.setstate(state)
    elif isinstance(generator, np.random.RandomState):
        generator.set_state(state)
    else:
        generator.bit_generator.state = state


class RandomStream:
    """Chance from a seed that can be left and entered again, so that several streams take turns.

    Within it every generator of :func:`fixed_randomness` goes on from where this stream left it; outside of it they are as they
    were.

    >>> one, other = RandomStream(3), RandomStream(4)
    >>> drawn = []
    >>> for stream in (one, other, one):
    ...     with stream:
    ...         drawn.append(float(torch.rand(1)))
    >>> with fixed_randomness(3):
    ...     print(drawn[::2] == [float(torch.rand(1)), float(torch.rand(1))])
    True
    """

    def __init__(self, seed: int, *data: object) -> None:
        self._generators = _carried(data)
        with fixed_randomness(seed, *data):
            self._inside = self._now()
        self._outside = self._inside

    def __enter__(self) -> "RandomStream":
        self._outside = self._now()
        self._set(self._inside)
        return self

    def __exit__(self, *_: object) -> None:
        self._inside = self._now()
        self._set(self._outside)

    def stands_here(self) -> bool:
        """Whether this stream stands where the generators are now."""
        return _is_same(self._inside, self._now())

    def _now(self) -> list[Any]:
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
        python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the user's loaders draw from it
        return [python, numpy, torch.get_rng_state(), cuda, *(_state(generator) for generator in self._generators)]

    def _set(self, states: list[Any]) -> None:
        python, numpy, cpu, cuda, *carried = states
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        torch.set_rng_state(cpu)
        if cuda:
            torch.cuda.set_rng_state_all(cuda)
        for generator, state in zip(self._generators, carried, strict=True):
            _set_state(generator, state)


def _is_same(first: Any, second: Any) -> bool:  # noqa: ANN401 - nested as generators like it
    if isinstance(first, dict):
        return all(_is_same(value, second[name]) for name, value in first.items())
    if isinstance(first, (list, tuple)):
        return all(_is_same(a, b) for a, b in zip(first, second, strict=True))
    return bool(np.array_equal(first, second))
