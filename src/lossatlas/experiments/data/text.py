"""English text that comes with Python: its own reference, character by character."""

import functools
from collections import Counter
from dataclasses import dataclass
from pydoc_data import topics

import numpy as np
import torch

from lossatlas._arrays import InputError
from lossatlas.experiments.catalogue import refuse_small
from lossatlas.experiments.data.batches import Samples

_TESTED = 500  # pieces
_MOST_TRAINED = 4_000  # pieces, unless more are asked for


def text(*, n_train: int | None = None, split: int = 0, context: int = 32) -> Samples:
    """Return pieces of the topics that ``help()`` knows in Python, to guess each next character from those before it.

    A piece is ``context`` numbers of characters, and its classes are the characters that come next, so that they are as many.
    No character of a piece is in another: a stretch of the text is tested, and what follows it is trained on. Paragraphs
    that stand in several topics are taken once, and spaces for all that is white within them: else two fifths of
    the text would be found in it again, and a test would be of memory. The text is another in each version of Python.

    Args:
        n_train: So many pieces to train on; None takes 4,000. 500 are tested.
        split: Seed of where the tested stretch begins.
        context: Characters of a piece.

    Raises:
        InputError: the text has not so many pieces, or a value is out of its range.
    """
    refuse_small(1, context=context)
    numbers = _numbers()
    pieces = numbers[: len(numbers) // (context + 1) * (context + 1)].reshape(-1, context + 1)
    most = len(pieces) - _TESTED
    n_train = min(_MOST_TRAINED, most) if n_train is None else n_train
    if not 1 <= n_train <= most:
        raise InputError(f"n_train must be from 1 to {most} of the pieces of {context} characters, but is {n_train}; change it")
    start = int(np.random.default_rng(split).integers(len(pieces)))
    test, train = pieces.roll(-start, 0)[: _TESTED + n_train].tensor_split([_TESTED])
    return Samples(train[:, :-1].clone(), train[:, 1:].clone(), test[:, :-1].clone(), test[:, 1:].clone())


def alphabet() -> str:
    """Return the characters by their numbers: the rarest first, so that the greatest number is in every piece of some length."""
    counts = Counter(prose())
    return "".join(sorted(counts, key=lambda character: (counts[character], character)))


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What counting gives, in nats a character of the test part: a network that has learnt more is below.

    Attributes:
        evenly: All characters are as likely.
        alone: Each as often as in the training part.
        after_one: Each as often as after the one before it.
        after_two: Each as often as after the two before it.
    """

    evenly: float
    alone: float
    after_one: float
    after_two: float


def counted(samples: Samples) -> Counted:
    """Return the test loss of tables of how often characters follow each other in the training part.

    To what a table counted one count is added, shared out as the table of one character less says, so that nothing is
    impossible. All are scored on the same characters, from the third of a piece on.
    """
    n = samples.n_classes
    losses = [float(np.log(n))]
    train, test = (np.concatenate([x[:, :1], y], axis=1) for x, y in _parts(samples))
    below = np.full(test[:, 2:].shape, 1 / n)
    for before in range(3):
        counts = np.zeros((n,) * (before + 1))
        np.add.at(counts, _windows(train, before), 1)
        at = _windows(test[:, 2 - before :], before)
        of_context = counts.sum(axis=-1)[at[:-1]]
        below = (counts[at] + below) / (of_context + 1)
        losses.append(float(-np.log(below).mean()))
    return Counted(evenly=losses[0], alone=losses[1], after_one=losses[2], after_two=losses[3])


def _windows(pieces: np.ndarray, before: int) -> tuple[np.ndarray, ...]:
    """Return each character that has so many before it in its piece, those before it first."""
    length = pieces.shape[1]
    return tuple(pieces[:, place : length - before + place] for place in range(before + 1))


def _parts(samples: Samples) -> list[tuple[np.ndarray, np.ndarray]]:
    parts = ((samples.train_x, samples.train_y), (samples.test_x, samples.test_y))
    return [(x.numpy(), y.numpy()) for x, y in parts]


@functools.cache
def _numbers() -> torch.Tensor:
    number = {character: place for place, character in enumerate(alphabet())}
    return torch.tensor([number[character] for character in prose()])


@functools.cache
def prose() -> str:
    """Return the text, a paragraph a line."""
    paragraphs = (" ".join(part.split()) for topic in sorted(topics.topics) for part in topics.topics[topic].split("\n\n"))
    once = dict.fromkeys(part for part in paragraphs if part)
    return "\n".join(once).encode("ascii", "replace").decode()
