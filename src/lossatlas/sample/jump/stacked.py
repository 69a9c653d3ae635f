"""Retrainings side by side where that gives the same points sooner, and one after the other where it does not."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from lossatlas.record import Recorder
from lossatlas.sample.evaluate import evaluation
from lossatlas.sample.jump.retraining import Retraining, is_finite, new_recorder, retrain
from lossatlas.sample.jump.stack import NotStackableError, Stack, Streams
from lossatlas.sample.jump.trial import is_worth_stacking
from lossatlas.sample.randomness import RandomStream, fixed_randomness

# The most that weights, their gradients and two numbers of the optimiser's for each may take, and the most in a stack.
_STACK_BYTES = 512 * 2**20
_MOST = 64


def retrain_stacked(work: Sequence[Retraining], report: Callable[[int], None]) -> None:
    """Do retrainings of one task in stacks if a trial finds that the same and faster, else one after the other.

    Args:
        work: Retrainings that differ in seed, step and path alone.
        report: Called with the number of those done, each time one is.
    """
    left = {item.path: item for item in work}

    def done(item: Retraining) -> None:
        del left[item.path]
        report(len(work) - len(left))

    stacks = _stacks(work)
    if len(stacks[0]) > 1 and is_worth_stacking(stacks[0]):
        try:
            for items in stacks:
                _train(items, done)
        except NotStackableError:
            pass  # what the trial did not show: what is left is done one by one, from its beginning
    for item in list(left.values()):
        retrain(item)
        done(item)


def _stacks(work: Sequence[Retraining]) -> list[list[Retraining]]:
    each = 4 * sum(parameter.nbytes for parameter in work[0].task.model.parameters())
    most = max(1, min(_MOST, _STACK_BYTES // each))
    parts = np.array_split(np.arange(len(work)), -(-len(work) // most))  # alike in size, as the trial takes them to be
    return [[work[number] for number in part] for part in parts]


def _train(items: Sequence[Retraining], done: Callable[[Retraining], None]) -> None:
    recorders: dict[int, Recorder] = {}

    def close(numbers: list[int]) -> None:
        for number in numbers:
            recorders.pop(number).close()
            done(items[number])

    train = items[0].task.train
    with _stopped_by_errors(recorders):
        with fixed_randomness(0, train):
            stack, streams, untouched = Stack(items), Streams(items), RandomStream(0, train)
            for number, item in enumerate(items):
                recorders[number] = new_recorder(item, stack.loaded(number))
            for _ in range(items[0].settings.epochs):
                # Those that diverged are computed on, which harms no other, and recorded no more.
                close([number for number in recorders if not is_finite(stack.loaded(number))])
                if not recorders:
                    break
                _step_through_epoch(stack, streams, untouched)
                for number, recorder in recorders.items():
                    recorder.step(**evaluation(items[number].task, stack.loaded(number)))
        close(list(recorders))


@contextmanager
def _stopped_by_errors(recorders: Mapping[int, Recorder]) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        for recorder in recorders.values():
            recorder.__exit__(type(error), error, error.__traceback__)
        raise


def _step_through_epoch(stack: Stack, streams: Streams, untouched: RandomStream) -> None:
    for batches in streams.epoch():
        stack.step(batches)
    if not untouched.stands_here():
        raise NotStackableError("the model or the loss draws from a generator, which alone would be the data's")
