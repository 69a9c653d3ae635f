"""Characters of Python's own reference, what counting says of them, and a transformer that sees no later one."""

import itertools
import math
from collections import Counter
from pydoc_data import topics

import numpy as np
import pytest
import torch
from torch import nn

from lossatlas.experiments.data import Samples, samples
from lossatlas.experiments.data.text import alphabet, counted, prose
from lossatlas.experiments.networks import network
from lossatlas.sample import SliceSettings, Task, evaluation, linear_path


def pieces(x: torch.Tensor, y: torch.Tensor) -> list[str]:
    """Return the text of pieces: their characters and the one after them."""
    letters = alphabet()
    return ["".join(letters[number] for number in row) for row in torch.cat([x[:, :1], y], dim=1).tolist()]


def test_pieces_are_stretches_of_the_text_and_each_class_is_the_next_character():
    found = samples("text", n_train=40, context=20)
    assert (found.train_x.shape, found.test_x.shape, found.n_classes) == ((40, 20), (500, 20), len(alphabet()))
    assert torch.equal(found.train_x[:, 1:], found.train_y[:, :-1])
    assert torch.equal(found.test_x[:, 1:], found.test_y[:, :-1])
    assert all(piece in prose() for piece in pieces(found.train_x, found.train_y))


def test_the_text_has_each_paragraph_once_though_topics_repeat_each_other():
    topic = [{" ".join(part.split()) for part in whole.split("\n\n")} for whole in topics.topics.values()]
    often = [paragraph for paragraph, n in Counter(itertools.chain(*topic)).items() if n > 1 and len(paragraph) > 200]
    assert len(often) > 100
    assert {prose().count(paragraph.encode("ascii", "replace").decode()) for paragraph in often} == {1}


def test_what_is_tested_is_trained_on_nowhere():
    whole = [samples("text", n_train=n, split=split) for n, split in ((9_000, 0), (9_000, 0), (9_000, 1))]
    first, same, other = (pieces(found.test_x, found.test_y) for found in whole)
    assert first == same
    assert first != other
    ring = prose()[: len(prose()) // 33 * 33]
    stretch = "".join(first) + "".join(pieces(whole[0].train_x, whole[0].train_y))
    assert stretch in ring + ring
    assert len(stretch) <= len(ring)  # so that no character of the text is in it twice


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_train": 10**6}, r"n_train must be from 1 to \d+ of the pieces of 32 characters"),
        ({"context": 0}, "context must be 1"),
    ],
)
def test_pieces_that_are_not_there_are_refused(options, message, refuses):
    with refuses(message):
        samples("text", **options)


def test_counted_losses_are_those_of_the_counts():
    train, test = torch.tensor([[0, 1, 2, 0], [1, 2, 2, 0]]), torch.tensor([[0, 1, 2, 1]])
    found = counted(Samples(train[:, :-1], train[:, 1:], test[:, :-1], test[:, 1:]))
    # The third and the fourth character of the test are scored: 2 after 0 1, and 1 after 1 2.
    alone = [(3 + 1 / 3) / 9, (2 + 1 / 3) / 9]
    after_one = [(2 + alone[0]) / 3, (0 + alone[1]) / 4]
    after_two = [(1 + after_one[0]) / 2, (0 + after_one[1]) / 3]
    assert found.evenly == pytest.approx(math.log(3))
    for loss, chances in ((found.alone, alone), (found.after_one, after_one), (found.after_two, after_two)):
        assert loss == pytest.approx(-np.mean(np.log(chances)))


def test_more_of_the_text_before_a_character_tells_more_of_it():
    found = counted(samples("text"))
    assert found.evenly > found.alone > found.after_one > found.after_two > 1


@pytest.fixture(name="small")
def _small():
    return network("language", shape=(12,), n_classes=20, seed=3, depth=2, width=16, n_heads=2)


def sentence(seed: int) -> torch.Tensor:
    """Return a few rows of characters."""
    return torch.randint(20, (3, 12), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("with_places", [True, False])
def test_a_later_character_changes_no_earlier_score(with_places):
    model = network("language", shape=(12,), n_classes=20, seed=3, width=16, with_places=with_places)
    x = sentence(0)
    for place in range(12):
        changed = x.clone()
        changed[:, place] = (changed[:, place] + 1) % 20
        same = (model(changed) == model(x)).all(dim=1)  # (rows, places)
        assert same[:, :place].all()
        assert not same[:, place:].any()  # and it changes all that may see it


def test_places_tell_what_characters_alone_do_not(small):
    same = torch.zeros(1, 12, dtype=torch.long)
    scores = small(same)[0]
    assert not torch.allclose(scores[:, 0], scores[:, 1])
    without = network("language", shape=(12,), n_classes=20, seed=3, width=16, with_places=False)(same)[0]
    torch.testing.assert_close(without[:, :1].expand_as(without), without)


def test_at_first_all_characters_are_nearly_as_likely(small):
    loss = nn.CrossEntropyLoss()(small(sentence(0)), sentence(1))
    assert loss.item() == pytest.approx(math.log(20), abs=0.1)


def test_the_seed_is_the_start(small):
    same = network("language", shape=(12,), n_classes=20, seed=3, depth=2, width=16, n_heads=2)
    other = network("language", shape=(12,), n_classes=20, seed=4, depth=2, width=16, n_heads=2)
    assert torch.equal(small(sentence(0)), same(sentence(0)))
    assert not torch.equal(small(sentence(0)), other(sentence(0)))


def test_loss_and_accuracy_are_means_over_all_places(small):
    data = [(sentence(0), sentence(1)), (sentence(2)[:1], sentence(3)[:1])]
    task = Task(small, nn.CrossEntropyLoss(), data, data, torch.optim.SGD)
    found = evaluation(task, small)
    losses, hits = [], []
    with torch.no_grad():
        for x, y in data:
            for row, right in zip(small(x).double(), y, strict=True):
                for place in range(12):
                    losses.append(-float(row[:, place].log_softmax(0)[right[place]]))
                    hits.append(int(row[:, place].argmax()) == int(right[place]))
    assert found["train_loss"] == pytest.approx(np.mean(losses), rel=1e-5)
    assert found["train_accuracy"] == np.mean(hits) > 0
    line = linear_path(task, small.state_dict(), small.state_dict(), n=3, settings=SliceSettings(engine="loop"))
    assert line.losses.accuracy == pytest.approx(found["train_accuracy"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shape": (1, 8, 8)}, r"language takes samples of shape \(places\), but theirs is \(1, 8, 8\)"),
        ({"n_heads": 3}, "n_heads must divide width, which is 32, but is 3"),
        ({"depth": 0}, "depth must be 1 or more"),
    ],
)
def test_other_sizes_are_refused(changes, message, refuses):
    with refuses(message):
        network("language", **{"shape": (12,), "n_classes": 20, "seed": 0} | changes)
