"""A few updates side by side and one after the other: whether they are the same, and which is faster."""

import copy
import itertools
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch

from lossatlas.sample.evaluate import batch_norms
from lossatlas.sample.jump.retraining import Retraining, data_seed, epochs, jumped, new_optimizer
from lossatlas.sample.jump.stack import Batch, Stack, Streams, named_tensors
from lossatlas.sample.randomness import fixed_randomness
from lossatlas.sample.task import train_mode, update

# Updates of the trial: the second shows momentum and decay.
_TRIED = 2
# How far a tensor may be after them, of its update's length and of its own: float32 adds up in another order.
_AGREE_UPDATE = 1e-4
_AGREE_TENSOR = 1e-6
# These treat each number by itself at every step. What another does cannot be known from two steps: it may clip later.
_ELEMENTWISE = {
    torch.optim.ASGD,
    torch.optim.Adadelta,
    torch.optim.Adagrad,
    torch.optim.Adam,
    torch.optim.AdamW,
    torch.optim.Adamax,
    torch.optim.NAdam,
    torch.optim.RAdam,
    torch.optim.RMSprop,
    torch.optim.Rprop,
    torch.optim.SGD,
}


def is_worth_stacking(items: Sequence[Retraining]) -> bool:
    r"""Whether a stack of retrainings takes the steps that they take alone, in less time.

    Two updates of the stack must bring each tensor of each retraining to where two of its own bring it,

    .. math:: \lVert \theta_{stack} - \theta \rVert
        \le 10^{-4} \lVert \theta - \theta_0 \rVert + 10^{-6} \lVert \theta_0 \rVert,

    from the same batches and with chance left where they leave it, and one step of the stack must take less time than k of one,
    each the best of three. Batch norm in training mode, restored optimisers, and those that are not known to treat each number
    by itself are not tried.
    """
    task = items[0].task
    model = copy.deepcopy(task.model)
    train_mode(model)
    if items[0].optimizer_state is not None or any(norm.training for norm in batch_norms(model).values()):
        return False
    try:
        with fixed_randomness(0, task.train), warnings.catch_warnings():
            warnings.filterwarnings("error", message="There is a performance drop")  # vmap would go one by one inside
            return _is_same_and_faster(items)
    except Exception:  # noqa: BLE001 - whatever a user's code says to a transform that it does not bear
        return False


def _is_same_and_faster(items: Sequence[Retraining]) -> bool:
    # One batch a turn: data whose iterators disturb each other give other batches then, and other updates.
    stack, streams = Stack(items), Streams(items, ahead=1)
    tried = _first(streams.epoch() for _ in range(items[0].settings.epochs))
    for batches in tried:
        stack.step(batches)
    for number, item in enumerate(items):
        seed = data_seed(item)
        alone = _Alone(item)
        with fixed_randomness(seed, item.task.train):
            own = _first(epochs(item), alone.step)
            is_same_chance = streams.chance(seed).stands_here()  # unless the model or the loss draws too
        if not (is_same_chance and alone.is_like(stack, number)):
            return False
    together = _seconds(lambda: stack.step(tried[-1]), stack.parameters)
    return together < len(items) * _seconds(lambda: alone.step(own[-1]), alone.parameters)


def _first(epochs: Iterable[Iterable[Any]], do: Callable[[Any], None] | None = None) -> list[Any]:
    """Return the first batches, each done with before the next is read."""
    read = []
    for batch in itertools.islice(itertools.chain.from_iterable(epochs), _TRIED):
        if do:
            do(batch)
        read.append(batch)
    return read


def _seconds(step: Callable[[], None], parameters: Sequence[torch.Tensor]) -> float:
    """Return the best of three: what else the machine does only adds."""
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        step()
        parameters[0].flatten()[0].item()  # a device must have done all that it was told
        best = min(best, time.perf_counter() - start)
    return best


class _Alone:
    """A retraining as it is without a stack."""

    def __init__(self, item: Retraining) -> None:
        self._task = item.task
        self._model = jumped(item)
        self._before = copy.deepcopy(self._model)
        train_mode(self._model)
        self.parameters = list(self._model.parameters())
        self._optimizer = new_optimizer(item, self._model)

    def step(self, batch: Batch) -> None:
        """Take a step."""
        update(self._task, self._model, self._optimizer, batch)

    def is_like(self, stack: Stack, number: int) -> bool:
        """Whether the stack's optimiser has the same settings for the same tensors, and its tensors are as these are now."""
        if not _is_elementwise(self._optimizer):
            return False
        if _layout(self._optimizer, self.parameters) != _layout(stack.optimizer, stack.parameters):
            return False
        now, before = (named_tensors(model) for model in (self._model, self._before))
        return all(_is_near(stack.tensor(name, number), now[name], before[name]) for name in now)


def _is_elementwise(optimizer: torch.optim.Optimizer) -> bool:
    own = vars(optimizer)
    is_changed = "step" in own or own.get("_optimizer_step_pre_hooks") or own.get("_optimizer_step_post_hooks")
    return type(optimizer) in _ELEMENTWISE and not is_changed


def _layout(optimizer: torch.optim.Optimizer, parameters: Sequence[torch.Tensor]) -> list[tuple[list[int], str]]:
    """Return which parameters each group holds, and its settings: a rule by shapes groups a stack in another way."""
    numbers = {id(parameter): number for number, parameter in enumerate(parameters)}
    return [
        ([numbers[id(p)] for p in group["params"]], repr({name: value for name, value in group.items() if name != "params"}))
        for group in optimizer.param_groups
    ]


def _is_near(stacked: torch.Tensor, alone: torch.Tensor, before: torch.Tensor) -> bool:
    theirs, ours, start = (tensor.detach().double() for tensor in (stacked, alone, before))
    if not torch.isfinite(ours).all():
        return not torch.isfinite(theirs).all()
    return bool((theirs - ours).norm() <= _AGREE_UPDATE * (ours - start).norm() + _AGREE_TENSOR * start.norm())
