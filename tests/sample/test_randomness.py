"""Chance that is lent is given back."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, Subset

from lossatlas.sample import fixed_randomness
from lossatlas.sample.randomness import RandomStream

pytestmark = pytest.mark.usefixtures("as_users_call")  # the type checks of the tests draw from Python's generator


class _Carrier(Dataset):
    """A data set, or an iterable, with something of its own."""

    def __init__(self, own: object) -> None:
        self.own = own

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> int:
        return index


def _in_a_loader(own: Any) -> object:
    return DataLoader(_Carrier(0), shuffle=True, generator=own) if isinstance(own, torch.Generator) else DataLoader(_Carrier(own))


_OWN: dict[str, tuple[Callable[[], Any], Callable[[Any], float]]] = {
    "torch": (lambda: torch.Generator().manual_seed(7), lambda own: torch.rand(1, generator=own).item()),
    "numpy": (lambda: np.random.default_rng(7), lambda own: own.random()),
    "numpy, another kind": (lambda: np.random.Generator(np.random.MT19937(7)), lambda own: own.random()),
    "numpy of old": (lambda: np.random.RandomState(7), lambda own: own.random_sample()),
    "python": (lambda: random.Random(7), lambda own: own.random()),
}
_PLACES: dict[str, Callable[[Any], object]] = {
    "an iterable": _Carrier,
    "a loader": _in_a_loader,
    "a subset in a loader": lambda own: DataLoader(Subset(_Carrier(own), [0, 2])),
    "a loader in an iterable": lambda own: _Carrier(_in_a_loader(own)),
    "a list of transforms": lambda own: DataLoader(_Carrier([_Carrier(own), None])),
}


@pytest.mark.parametrize("kind", _OWN)
@pytest.mark.parametrize("place", _PLACES)
def test_a_generator_that_the_data_carry_is_seeded_and_given_back(kind, place):
    make, draw = _OWN[kind]
    own = make()
    data = _PLACES[place](own)
    draw(own)
    drawn = []
    for seed in (1, 1, 2):
        with fixed_randomness(seed, data):
            drawn.append([draw(own), draw(own)])
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]
    with pytest.raises(LookupError), fixed_randomness(1, data):
        raise LookupError(draw(own))
    twin = make()
    draw(twin)
    assert draw(own) == draw(twin)


def _draw() -> list[float]:
    return [torch.rand(1).item(), random.random(), np.random.random(), random.gauss(0, 1)]  # noqa: NPY002 - as users do


def test_global_generators_are_seeded_and_given_back_also_after_an_error():
    states = torch.get_rng_state(), random.getstate(), repr(np.random.get_state())  # noqa: NPY002 - the user's own
    drawn = []
    for seed in (1, 1, 2**40):
        with fixed_randomness(seed):
            drawn.append(_draw())
    with pytest.raises(LookupError), fixed_randomness(1):
        raise LookupError(_draw())
    assert drawn[0] == drawn[1]
    assert not set(drawn[0]) & set(drawn[2])
    assert torch.equal(states[0], torch.get_rng_state())
    assert states[1:] == (random.getstate(), repr(np.random.get_state()))  # noqa: NPY002 - the user's own


def test_blocks_may_be_nested():
    with fixed_randomness(1):
        expected = [_draw(), _draw()]
    with fixed_randomness(1):
        first = _draw()
        with fixed_randomness(2):
            _draw()
        assert [first, _draw()] == expected


def test_data_that_go_in_circles_are_walked_once():
    one, other = _Carrier(None), _Carrier(None)
    one.own, other.own = other, one
    with fixed_randomness(1, one, one):
        pass


def test_a_generator_without_a_state_is_passed_over():
    with fixed_randomness(1, _Carrier(random.SystemRandom())):
        pass


@pytest.mark.parametrize("kind", _OWN)
def test_streams_that_take_turns_draw_what_each_draws_alone(kind):
    make, draw = _OWN[kind]
    own = make()
    data = _in_a_loader(own)
    expected = {}
    for seed in (1, 2):
        with fixed_randomness(seed, data):
            expected[seed] = [(draw(own), *_draw()) for _ in range(3)]
    drawn: dict[int, list] = {1: [], 2: []}
    streams = {seed: RandomStream(seed, data) for seed in drawn}
    for seed in (1, 2, 2, 1, 1, 2):
        with streams[seed]:
            drawn[seed].append((draw(own), *_draw()))
        _draw()
    assert drawn == expected
    assert draw(own) == draw(make())


def test_a_stream_gives_the_generators_back_also_after_an_error():
    states = torch.get_rng_state(), random.getstate(), repr(np.random.get_state())  # noqa: NPY002 - the user's own
    with pytest.raises(LookupError), RandomStream(1):
        raise LookupError(_draw())
    assert torch.equal(states[0], torch.get_rng_state())
    assert states[1:] == (random.getstate(), repr(np.random.get_state()))  # noqa: NPY002 - the user's own


@pytest.mark.parametrize("kind", [*_OWN, "torch's global", "NumPy's global", "Python's global"])
def test_a_stream_knows_whether_the_generators_stand_where_it_does(kind):
    draws = {
        "torch's global": lambda _: torch.rand(1),
        "NumPy's global": lambda _: np.random.random(),  # noqa: NPY002 - as users do
        "Python's global": lambda _: random.random(),
    }
    make, draw = _OWN.get(kind, (torch.Generator, draws.get(kind)))
    own = make()
    data = _in_a_loader(own)
    stream = RandomStream(1, data)
    assert not stream.stands_here()
    with fixed_randomness(1, data):
        assert stream.stands_here()
        draw(own)
        assert not stream.stands_here()
        with stream:
            draw(own)
        assert stream.stands_here()
