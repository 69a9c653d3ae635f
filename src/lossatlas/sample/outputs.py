"""What networks say, and what their layers hold, of the same samples: where networks of any kind can be compared."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from lossatlas._arrays import InputError
from lossatlas.record import load_tensors
from lossatlas.sample.batches import SameBatches
from lossatlas.sample.probe import probed
from lossatlas.sample.start import Start, start_tensors
from lossatlas.sample.task import Task, batch_on_device
from lossatlas.store import Run

Data = Literal["train", "test"]


def predictions(
    task: Task,
    run: Run | Sequence[Start],
    *,
    points: Sequence[int] | None = None,
    data: Data = "test",
    batches: int | None = None,
    axis: int = 1,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Float[np.ndarray, "n m c"]:
    r"""Log-probabilities :math:`\ln p_w(c \mid x)` that each point of a run gives the classes of the same samples.

    They are the softmax of the model's output in evaluation mode. Networks of any architecture that tell the same classes
    apart are compared by them: :func:`prediction_distances`.

    Args:
        task: Model and data; the model stays as it is.
        run: A run, or snapshots and state dicts.
        points: Which of a run's points; None takes all.
        data: Samples to be asked about: those of ``test``, or of training as it is evaluated.
        batches: So many of the batches, drawn at random; None takes all. Memory is 8 bytes a point, sample and class.
        axis: Of the output, along which the classes are; a model of language may have them last (-1). Places along further
            axes count as samples.
        seed: Of the choice of batches.
        progress: Called with the numbers of points done and in all.

    Returns:
        ``(n, m, c)`` float32: n points, m samples, c classes.

    Raises:
        InputError: the model has no score for each class, a point is not there or has diverged, or the task does not repeat.
    """

    def of_classes(output: object) -> torch.Tensor:
        is_table = isinstance(output, torch.Tensor) and output.dim() >= 2 and -output.dim() <= axis < output.dim()
        if not isinstance(output, torch.Tensor) or not is_table or output.shape[axis] < 2:
            came = tuple(output.shape) if isinstance(output, torch.Tensor) else type(output).__name__
            raise InputError(
                f"predictions need a score for each class along axis {axis} of the output, but it is {came}; name their axis, "
                "or let the model return scores"
            )
        return output.movedim(axis, -1).flatten(0, -2).double().log_softmax(dim=-1)

    asked = _Asked(task, data, batches, seed)
    return _over_points(asked, run, points, lambda model: [of_classes(model(x)) for x in asked.inputs(model)], progress)


def activations(
    task: Task,
    run: Run | Sequence[Start],
    layer: str,
    *,
    points: Sequence[int] | None = None,
    data: Data = "test",
    batches: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Float[np.ndarray, "n m d"]:
    """What a layer gives of the same samples at each point of a run, flattened: ``(n, m, d)`` float32, for :func:`cka`.

    Args:
        task: As for :func:`predictions`, also what follows.
        run: A run, or snapshots and state dicts.
        layer: Name of the module, as ``model.named_modules()`` has it.
        points: Which of a run's points.
        data: Samples to be asked about.
        batches: So many of the batches.
        seed: Of the choice of batches.
        progress: Called with the numbers of points done and in all.

    Raises:
        InputError: there is no such layer, it gives no tensor, or as for :func:`predictions`.
    """
    names = [name for name, _ in task.model.named_modules() if name]
    if layer not in names:
        raise InputError(f"the model has no layer {layer!r}; it has {', '.join(names[:12])}{', …' if len(names) > 12 else ''}")
    asked = _Asked(task, data, batches, seed)

    def of_layer(model: nn.Module) -> list[torch.Tensor]:
        found = []
        for x in asked.inputs(model):
            with _caught(model.get_submodule(layer)) as given:
                model(x)
            if not given or not isinstance(given[-1], torch.Tensor):
                raise InputError(f"layer {layer!r} gives no tensor in a forward pass; name another")
            found.append(given[-1].flatten(1))
        return found

    return _over_points(asked, run, points, of_layer, progress)


class _Asked:
    """The samples that every point is asked about."""

    def __init__(self, task: Task, data: Data, batches: int | None, seed: int) -> None:
        if data not in ("train", "test"):
            raise InputError(f"data must be 'train' or 'test', but is {data!r}; choose one of these")
        if batches is not None and batches < 1:
            raise InputError(f"batches must be 1 or more, but is {batches}; leave it out for all")
        self.task, self.data = task, data
        self.batches = SameBatches(task.evaluated if data == "train" else task.test, few=batches, seed=seed)

    def inputs(self, model: nn.Module) -> Iterator[Any]:
        for batch in self.batches:
            yield batch_on_device(batch, model)[0]


def _over_points(
    asked: _Asked,
    run: Run | Sequence[Start],
    points: Sequence[int] | None,
    outputs: Callable[[nn.Module], list[torch.Tensor]],
    progress: Callable[[int, int], None] | None,
) -> Float[np.ndarray, "n m d"]:
    chosen = _chosen(run, points)
    told = progress or (lambda _, __: None)
    model: nn.Module | None = None
    rows = []
    for done, point in enumerate(chosen):
        told(done, len(chosen))
        start = start_tensors(_snapshot(run, point), what=f"point {point}")
        model = probed(asked.task, start, data=asked.data) if model is None else _moved(model, start)
        with torch.no_grad():
            rows.append(torch.cat(outputs(model)).float().cpu().numpy())
    told(len(chosen), len(chosen))
    return np.stack(rows)


def _moved(model: nn.Module, start: dict[str, torch.Tensor]) -> nn.Module:
    load_tensors(model, start, what="point")
    return model.eval()


def _snapshot(run: Run | Sequence[Start], point: int) -> Start:
    if not isinstance(run, Run):
        return run[point]
    snapshot = run.snapshot(point)
    if not all(np.isfinite(snapshot[name]).all() for name in run.names):
        raise InputError(
            f"{run.describe(point)} has weights that are NaN or infinite, and predicts nothing; name the others by points=, or "
            "pass --diverged skip"
        )
    return snapshot


def _chosen(run: Run | Sequence[Start], points: Sequence[int] | None) -> list[int]:
    n = run.n_points if isinstance(run, Run) else len(run)
    chosen = list(range(n)) if points is None else list(points)
    wrong = [point for point in chosen if not -n <= point < n]
    if wrong or not chosen:
        came = f"{wrong[0]} came" if wrong else "none came"
        raise InputError(f"points must be among the {n} that there are, but {came}; name some of them")
    return [point % n for point in chosen]


@contextmanager
def _caught(module: nn.Module) -> Iterator[list[object]]:
    """What a module gives while this lasts."""
    given: list[object] = []
    hook = module.register_forward_hook(lambda _, __, output: given.append(output))
    try:
        yield given
    finally:
        hook.remove()
