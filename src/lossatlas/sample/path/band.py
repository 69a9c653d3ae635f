"""AutoNEB: a band of points between two minima, relaxed downhill, with more points where it needs them."""

import os
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from jaxtyping import Float

from lossatlas._arrays import InputError, Vector
from lossatlas.sample.path.chain import Chain, between, fractions, insertions, respaced, tangents
from lossatlas.sample.path.ends import Ends, opened_ends
from lossatlas.sample.path.result import LowLossPath, Progress, chain_frame, measured_path
from lossatlas.sample.path.settings import BandSettings, Cycle
from lossatlas.sample.randomness import fixed_randomness
from lossatlas.sample.slice.losses import losses
from lossatlas.sample.slice.settings import SliceSettings
from lossatlas.sample.start import Start, Tensors
from lossatlas.sample.task import Task

Inner = Float[torch.Tensor, "inner p"]


def nudged_elastic_band(
    task: Task,
    start: Start,
    end: Start,
    *,
    settings: BandSettings | None = None,
    measure: SliceSettings | None = None,
    seed: int = 0,
    path: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> LowLossPath:
    r"""Find the path of least energy between two minima (AutoNEB; Draxler et al. 2018).

    A chain of pivots begins on the straight line. Each step moves every inner pivot against the part of its gradient that is
    perpendicular to the chain,

    .. math:: \theta_i \leftarrow \theta_i - \eta\,\bigl(g_i - (g_i \cdot \hat\tau_i)\,\hat\tau_i\bigr), \qquad
              g_i = \nabla L_B(\theta_i) + \lambda\,\theta_i,

    on one batch for all pivots, with the tangents of Henkelman and Jónsson 2000; then the pivots are put back to their fractions
    of the chain's length, or springs along the tangent hold them. After each cycle pivots are added where the loss between two
    exceeds the line between theirs. At the end, and between cycles, the whole path is measured in evaluation mode with the
    statistics of batch norm recomputed at each point.

    Args:
        task: Model, data and loss; the model stays as it is. Its optimiser is not used.
        start: A run (its last point), a ``run.snapshot(point)``, or a state dict.
        end: Likewise; of the same model.
        settings: Pivots, cycles, insertion; by default ``BandSettings()``.
        measure: How the path is measured; by default ``SliceSettings()``.
        seed: Of the order of the training data.
        path: A file that keeps the chain after each cycle, so that the same call goes on from there.
        progress: Called with the numbers of steps, then of measured points, done and in all.

    Returns:
        The path, measured at the pivots and between them, beside the straight line.

    Raises:
        InputError: the points are not of this model, a loss does not repeat, or the band diverged.
    """
    settings = settings or BandSettings()
    ends = opened_ends(task, start, end, settings=settings, measure=measure, seed=seed, path=path)
    band = _Band(ends, settings)
    began = time.perf_counter()
    band.relax(progress or (lambda _, __: None))
    return measured_path(
        ends,
        band.pivots,
        between(len(band.chain), settings.between),
        diagnostics={
            "n_pivots": len(band.chain),
            "pivots_after_cycle": band.grown,
            "steps": sum(cycle.steps for cycle in settings.cycles),
            "seconds": time.perf_counter() - began,
        },
        progress=progress,
    )


class _Band:
    """The chain as it is now, and the fractions of its length where its pivots belong."""

    def __init__(self, ends: Ends, settings: BandSettings) -> None:
        self._ends, self._loss, self._settings = ends, ends.loss, settings
        first, last = (ends.loss.flat(tensors) for tensors in ends.points)
        self.at: Vector = np.linspace(0, 1, settings.pivots + 2)
        self.chain: Chain = respaced(torch.stack([first, last]), self.at)
        self.grown: list[int] = []

    @property
    def pivots(self) -> list[Tensors]:
        """The inner points."""
        return [self._loss.tensors(weights) for weights in self.chain[1:-1]]

    def relax(self, progress: Progress) -> None:
        """Go through the cycles that are left."""
        cycles = self._settings.cycles
        stored = self._ends.kept.read()
        if stored is not None:
            self.chain = torch.as_tensor(stored["chain"]).to(self.chain)
            self.at, self.grown = stored["at"], stored["grown"].tolist()
        steps = np.cumsum([0, *(cycle.steps for cycle in cycles)])
        for number in range(len(self.grown), len(cycles)):
            seed = int(np.random.SeedSequence((self._ends.seed, 4, number)).generate_state(1)[0])
            # A cycle begins anew, chance and momentum: what was stopped in one is repeated to the last bit.
            with fixed_randomness(seed, self._ends.task.train):
                self._descend(cycles[number], number, partial(_report, progress, int(steps[number]), int(steps[-1])))
            if number < len(cycles) - 1:
                self._insert()
            self.grown.append(len(self.chain))
            self._ends.kept.write({"chain": self.chain.cpu().numpy(), "at": self.at, "grown": np.array(self.grown)})

    def _descend(self, cycle: Cycle, number: int, report: Callable[[int], None]) -> None:
        settings = self._settings
        velocity = torch.zeros_like(self.chain[1:-1])
        batches = self._loss.batches()
        for step in range(cycle.steps):
            gradient, tau = self._gradient_and_tangents(next(batches))
            downhill, velocity = _across(gradient, tau), _across(velocity, tau)
            # Nothing is conserved here: plain momentum keeps waves running along the chain. Where it points uphill it ends.
            is_onward = (velocity * downhill).sum(dim=1, keepdim=True) > 0
            velocity = settings.momentum * velocity * is_onward + downhill
            moved = self.chain[1:-1] - cycle.learning_rate * (velocity - self._pull(tau))
            self.chain = torch.cat([self.chain[:1], moved, self.chain[-1:]])
            if not torch.isfinite(self.chain).all():
                raise InputError(
                    f"the band diverged in step {step + 1} of cycle {number + 1}, at a learning rate of {cycle.learning_rate:g}; "
                    "pass BandSettings(cycles=...) with a lower one"
                )
            if settings.spring is None:
                self.chain = respaced(self.chain, self.at)
            report(step + 1)

    def _gradient_and_tangents(self, batch: tuple[object, object]) -> tuple[Inner, Inner]:
        inner = [self._loss.value_and_gradient(weights, batch) for weights in self.chain[1:-1]]
        energy = np.array(
            [self._loss.value(self.chain[0], batch), *(value for value, _ in inner), self._loss.value(self.chain[-1], batch)]
        )
        gradient = torch.stack([gradient for _, gradient in inner]) + self._settings.weight_decay * self.chain[1:-1]
        return gradient, tangents(self.chain, energy)

    def _pull(self, tau: Inner) -> Inner | float:
        """Return the springs' force along the chain."""
        if self._settings.spring is None:
            return 0.0
        lengths = (self.chain[1:] - self.chain[:-1]).norm(dim=1)
        return self._settings.spring * (lengths[1:] - lengths[:-1])[:, None] * tau

    def _insert(self) -> None:
        """Add pivots where the measured loss exceeds the line between two; the others keep their order."""
        settings, k = self._settings, len(self.chain)
        table = between(k, settings.between)
        ends = self._ends
        measured = losses(ends.task, chain_frame(ends.points, self.pivots), table, settings=ends.measure).loss
        if not np.isfinite(measured).all():
            return  # a place without a loss has no excess; the path shows it at the end
        own = fractions(self.chain)
        added = []
        for segment, share in insertions(measured, k, most=settings.insertions, excess=settings.excess):
            added.append((1 - share) * own[segment] + share * own[segment + 1])
        self.at = np.sort(np.concatenate([own, added])) if added else own
        self.chain = respaced(self.chain, self.at)


def _report(progress: Progress, before: int, total: int, done: int) -> None:
    progress(before + done, total)


def _across(vectors: Inner, tau: Inner) -> Inner:
    """Return what of each vector is perpendicular to the chain."""
    return vectors - (vectors * tau).sum(dim=1, keepdim=True) * tau
