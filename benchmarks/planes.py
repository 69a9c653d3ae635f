"""A plane of a small convolutional network on digits, ours beside the others'; ``python -m benchmarks.planes``.

All measure the same points on the same batches, in one process, A B C D A B C D. Where another package puts its points
elsewhere than it says, ours is asked for the points that it really evaluates, read from the model in a pass that is not timed.
"""

import argparse
import contextlib
import copy
import functools
import io
import statistics
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from benchmarks.machine import described
from benchmarks.pairs import paired, timed_in_turn
from benchmarks.tables import table
from lossatlas import SliceSettings, Task, loss_plane
from lossatlas.experiments.data.digits import digits
from lossatlas.experiments.networks.convolutional import convolutional
from lossatlas.sample.slice.frame import Frame
from lossatlas.sample.slice.losses import losses

REACH = 0.5
FASTER = 3.0


@dataclass(frozen=True, eq=False)
class Problem:
    """A trained network, its data in batches, and two directions."""

    model: nn.Module
    batches: list[tuple[torch.Tensor, torch.Tensor]]
    directions: tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]
    n: int

    @property
    def task(self) -> Task:
        """The same as a task."""
        optimizer = functools.partial(torch.optim.SGD, lr=0.1)
        return Task(self.model, nn.functional.cross_entropy, self.batches, self.batches, optimizer)


def problem(*, n: int, batch: int) -> Problem:
    """Return the demo's network, trained for a while on all digits, and two directions."""
    data = digits(n_train=1_297, split=0)
    x, y = torch.cat([data.train_x, data.test_x]), torch.cat([data.train_y, data.test_y])
    model = convolutional(seed=0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    generator = torch.Generator().manual_seed(0)
    for _ in range(5):
        for chosen in torch.randperm(len(y), generator=generator).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[chosen]), y[chosen]).backward()
            optimizer.step()
    model.eval()
    directions = (_direction(model, generator), _direction(model, generator))
    return Problem(model, list(zip(x.split(batch), y.split(batch), strict=True)), directions, n)


def _direction(model: nn.Module, generator: torch.Generator) -> dict[str, torch.Tensor]:
    """Return a direction as long as all weights together, each tensor's values of mean square 1 before that.

    One of the others brings every direction to this form, whatever it is given, so only so are the points the same for all.
    """
    drawn = {name: torch.randn(w.shape, generator=generator) for name, w in model.named_parameters()}
    drawn = {name: one * (one.numel() ** 0.5 / one.norm()) for name, one in drawn.items()}
    own = torch.cat([w.detach().ravel() for w in model.parameters()]).norm()
    scale = own / torch.cat([one.ravel() for one in drawn.values()]).norm()
    return {name: one * scale for name, one in drawn.items()}


def ours(given: Problem) -> np.ndarray:
    """``lossatlas.loss_plane``, its choice of engine included."""
    settings = SliceSettings(batchnorm="stale")
    return loss_plane(
        given.task, given.model.state_dict(), directions=given.directions, reach=REACH, n=given.n, settings=settings
    ).loss


def _mean_loss(model: Callable[[torch.Tensor], torch.Tensor], batches: list[tuple[torch.Tensor, torch.Tensor]]) -> float:
    with torch.no_grad():
        total = sum(float(nn.functional.cross_entropy(model(x), y)) * len(y) for x, y in batches)
    return total / sum(len(y) for _, y in batches)


def landscapes(given: Problem, seen: list[np.ndarray] | None = None) -> np.ndarray:
    """``loss_landscapes.planar_interpolation``."""
    from loss_landscapes import planar_interpolation
    from loss_landscapes.metrics.metric import Metric

    class Mean(Metric):
        def __call__(self, wrapped: object) -> float:
            if seen is not None:
                seen.append(_flat(wrapped.modules[0]))
            return _mean_loss(wrapped.forward, given.batches)

    step = 2 * REACH / (given.n - 1)
    start, one, two = (copy.deepcopy(given.model) for _ in range(3))
    d, e = given.directions
    with torch.no_grad():
        # Its points are start + i d/n + (j + 1) e/n: the start stands one step of e before the grid.
        for model, a, b in ((start, 0, 0), (one, given.n, 0), (two, 0, given.n)):
            for name, parameter in model.named_parameters():
                parameter.add_((a * step - REACH) * d[name] + ((b - 1) * step - REACH) * e[name])
    return planar_interpolation(start, one, two, Mean(), steps=given.n)


def landscape_3d(given: Problem, seen: list[np.ndarray] | None = None) -> np.ndarray:
    """``loss_landscape_3d.LossLandscapeCalculator``."""
    from loss_landscape_3d import LossLandscapeCalculator

    steps = np.linspace(-REACH, REACH, given.n)
    model = copy.deepcopy(given.model)
    calculator = LossLandscapeCalculator(model, given.batches, _seeing(nn.functional.cross_entropy, model, seen))
    return calculator.calculate(steps, steps, *given.directions, given.model.state_dict())


def landscaper(given: Problem, seen: list[np.ndarray] | None = None) -> np.ndarray:
    """``landscaper.LossLandscape.compute``."""
    from landscaper import LossLandscape

    model = copy.deepcopy(given.model)
    names = [name for name, _ in model.named_parameters()]
    directions = [[one[name].clone() for name in names] for one in given.directions]

    def mean(model: nn.Module, batches: list[tuple[torch.Tensor, torch.Tensor]]) -> float:
        if seen is not None:
            seen.append(_flat(model))
        return _mean_loss(model, batches)

    # It takes n/2 steps for the distance and goes (n-1)/2 of them; its directions are as long as all weights together.
    distance = REACH * (given.n / 2) / ((given.n - 1) / 2)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        made = LossLandscape.compute(
            model, given.batches, directions, mean, dim=2, steps=given.n, distance=distance, device="cpu"
        )
    return np.asarray(made.loss)


OTHERS = {"loss-landscapes 3.0.6": landscapes, "loss-landscape-3d 0.1.3": landscape_3d, "Landscaper 1.3.1": landscaper}


def _seeing(loss: Callable[..., torch.Tensor], model: nn.Module, seen: list[np.ndarray] | None) -> Callable[..., torch.Tensor]:
    def seeing(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        if seen is not None:
            seen.append(_flat(model))
        return loss(output, target)

    return loss if seen is None else seeing


def _flat(model: nn.Module) -> np.ndarray:
    return np.concatenate([parameter.detach().double().numpy().ravel() for parameter in model.parameters()])


def difference(given: Problem, other: Callable[..., np.ndarray]) -> tuple[float, float]:
    """Return the greatest relative difference of losses at the points really evaluated, and the share of points off the grid."""
    seen: list[np.ndarray] = []
    theirs = other(given, seen).ravel()
    names = [name for name, _ in given.model.named_parameters()]
    base = _flat(given.model)
    axes = np.stack([np.concatenate([one[name].double().numpy().ravel() for name in names]) for one in given.directions], axis=1)
    points = np.stack(seen[:: len(seen) // given.n**2])  # one of them calls once a batch
    coordinates = np.linalg.lstsq(axes, (points - base).T, rcond=None)[0].T
    assert np.abs(points - base - coordinates @ axes.T).max() < 1e-4  # in the plane, to float32
    if other is landscapes:  # it inserts each second column's losses from the other end, as they were not measured in order
        coordinates = coordinates.reshape(given.n, given.n, 2)
        coordinates[1::2] = coordinates[1::2, ::-1]
        coordinates = coordinates.reshape(-1, 2)
    frame = Frame((given.model.state_dict(), *given.directions), frozenset(name for name, _ in given.model.named_buffers()))
    table_ = np.concatenate([np.ones((len(coordinates), 1)), coordinates], axis=1)
    own = losses(given.task, frame, table_, settings=SliceSettings(batchnorm="stale")).loss
    steps = np.linspace(-REACH, REACH, given.n)
    grid = np.stack([axis.ravel() for axis in np.meshgrid(steps, steps, indexing="ij")], axis=1)
    off = np.abs(coordinates - grid).max(axis=1) > 0.01 * (steps[1] - steps[0])
    return float(np.max(np.abs(theirs - own) / own)), float(off.mean())


def nan_cells(given: Problem, n: int = 15) -> tuple[int, int]:
    """Return how many cells of the directions that loss-landscape-3d draws itself, and of ours, are NaN."""
    from loss_landscape_3d import LossLandscapeCalculator, generate_random_directions

    steps = np.linspace(-1, 1, n)
    model = copy.deepcopy(given.model)
    d, e = generate_random_directions(model)
    calculator = LossLandscapeCalculator(model, given.batches, nn.functional.cross_entropy)
    theirs = calculator.calculate(steps, steps, d, e, given.model.state_dict())
    own = loss_plane(given.task, given.model.state_dict(), reach=1.0, n=n).loss
    return int(np.isnan(theirs).sum()), int(np.isnan(own).sum())


def planes_table(*, n: int, batches: tuple[int, ...], rounds: int) -> str:
    """Return seconds of each on each size of batch, how many times ours, and how far the losses are apart."""
    rows = []
    for batch in batches:
        given = problem(n=n, batch=batch)
        apart = {name: difference(problem(n=11, batch=batch), other) for name, other in OTHERS.items()}
        ways: dict[str, Callable[[], object]] = {"lossatlas": lambda given=given: ours(given)}
        ways |= {name: lambda other=other, given=given: other(given) for name, other in OTHERS.items()}
        seconds = timed_in_turn(ways, rounds=rounds)
        fastest = min(OTHERS, key=lambda name: statistics.median(seconds[name].wall))
        rows.append([f"{batch:,}", "lossatlas", f"{statistics.median(seconds['lossatlas'].wall):.1f}", "1", "", ""])
        for name in OTHERS:
            pair = paired(seconds["lossatlas"].wall, seconds[name].wall)
            times = f"**{pair}**" if name == fastest else str(pair)
            rows.append(["", name, f"{pair.theirs:.1f}", times, f"{apart[name][0]:.0e}", f"{apart[name][1]:.0%}"])
    head = ("batch", "way", "s", "times ours (range)", "greatest difference of a loss, relative", "points off the grid")
    return table(head, rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planes", description=__doc__)
    parser.add_argument("-n", type=int, default=51, help="points along each axis")
    parser.add_argument("--batches", type=int, nargs="*", default=[32, 64, 128, 1_797])
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(described())
    print(planes_table(n=asked.n, batches=tuple(asked.batches), rounds=asked.rounds))
    theirs, own = nan_cells(problem(n=3, batch=256))
    print(f"NaN cells of 225 in random directions: loss-landscape-3d {theirs}, ours {own}")


if __name__ == "__main__":
    main()
