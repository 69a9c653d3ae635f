"""The Hessian of the loss at a point, by its products with vectors."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch.nn.attention import SDPBackend, sdpa_kernel

from lossatlas._arrays import InputError, Vector
from lossatlas.sample.batches import SameBatches
from lossatlas.sample.curvature.products import Products, curvlinops_package
from lossatlas.sample.mean_loss import MeanLoss, as_numpy
from lossatlas.sample.probe import probed
from lossatlas.sample.randomness import fixed_randomness
from lossatlas.sample.slice.settings import Part
from lossatlas.sample.start import Start, start_tensors
from lossatlas.sample.task import Task

Grid = Float[np.ndarray, " m"]

# Up to so many weights the Hessian is formed whole, and every number is exact.
_SMALL = 512
_GRID = 1024
# Restarts of ARPACK's iteration, some twenty products with vectors each.
_RESTARTS = 200


@dataclass(frozen=True, eq=False)
class Curvature:
    r"""The Hessian :math:`H = \nabla^2 L` of the mean loss at a point.

    Attributes:
        eigenvalues: The greatest ones, greatest first, ``(k,)``; NaN where the iteration did not converge.
        least_eigenvalue: Below 0 the point is no minimum. To the tolerance of the whole range.
        trace: Exact, or estimated with random vectors.
        trace_error: Its standard error; 0 where it is exact.
        grid: Where the density is known, ``(m,)``, or None where it was not asked for, or the eigenvalues that bound it were
            not found.
        density: Share of eigenvalues per unit there, ``(m,)``: integrates to 1.
        is_exact: Whether the Hessian was formed whole.
        settings: Numbers of eigenvalues, vectors and Lanczos steps, tolerance, data, seed.
        diagnostics: Numbers of weights and of products with vectors.
    """

    eigenvalues: Float[np.ndarray, " k"]
    least_eigenvalue: float
    trace: float
    trace_error: float
    grid: Grid | None = field(repr=False)
    density: Grid | None = field(repr=False)
    is_exact: bool
    settings: dict[str, Any] = field(repr=False)
    diagnostics: dict[str, Any] = field(repr=False)


def curvature(
    task: Task,
    start: Start,
    *,
    n_eigenvalues: int = 5,
    n_probes: int = 10,
    n_lanczos: int = 0,
    tolerance: float = 1e-3,
    data: Part = "train",
    batches: int | None = None,
    seed: int = 0,
) -> Curvature:
    r"""Measure the Hessian's greatest eigenvalues, its least one, its trace and, if asked for, its spectrum.

    Products :math:`Hv` come from curvlinops, one pass over the data each; eigenvalues from ARPACK's Lanczos iteration, the
    trace from :math:`E[v^\top H v]` over random signs (Hutchinson 1989), the density from Lanczos quadrature (Papyan 2020,
    Algorithm 2). Up to 512 weights the matrix is formed, and all is exact. The model is in evaluation mode, its batch norm
    keeps the point's statistics. The numbers depend on the scale of the weights: rescaled ReLU networks of one function
    have any curvature (Dinh et al. 2017).

    Args:
        task: Model, data and loss; the model stays as it is.
        start: A run (its last point), a ``run.snapshot(point)``, or a state dict.
        n_eigenvalues: How many of the greatest.
        n_probes: Random vectors for the trace.
        n_lanczos: Lanczos steps of the spectrum; 0 leaves it out.
        tolerance: Relative accuracy of the eigenvalues.
        data: Where the loss is measured.
        batches: How many batches, drawn at random; None takes all.
        seed: Of the random vectors and the batches.

    Raises:
        InputError: curvlinops is not installed, the point is not of this model, its loss does not repeat, or a number is out
            of its range.
    """
    settings: dict[str, Any] = {
        "n_eigenvalues": n_eigenvalues,
        "n_probes": n_probes,
        "n_lanczos": n_lanczos,
        "tolerance": tolerance,
        "data": data,
        "batches": batches,
        "seed": seed,
    }
    _refuse_numbers(settings)
    curvlinops = curvlinops_package()
    model = probed(task, start_tensors(start), data=data)
    given = SameBatches(task.evaluated if data == "train" else task.test, few=batches, seed=seed)
    H = Products(curvlinops, MeanLoss(task, model, given))
    if n_eigenvalues > H.n:
        raise InputError(f"n_eigenvalues must be at most the number of weights, {H.n}, but is {n_eigenvalues}; ask for fewer")
    is_exact = H.n <= _SMALL
    # The fused kernels of attention have no second derivative.
    with fixed_randomness(seed), sdpa_kernel(SDPBackend.MATH):
        found = (_exact if is_exact else _estimated)(H, settings)
    diagnostics = {"n_weights": H.n, "n_products": H.n_products, "n_batches": given.n}
    return Curvature(**found, is_exact=is_exact, settings=settings, diagnostics=diagnostics)


def _exact(H: Products, settings: dict[str, Any]) -> dict[str, Any]:
    matrix = H.times(torch.eye(H.n, dtype=H.dtype, device=H.device)).double().cpu().numpy()
    values = np.linalg.eigvalsh((matrix + matrix.T) / 2)
    grid, density = _smoothed(values, settings["n_lanczos"]) if settings["n_lanczos"] else (None, None)
    return {
        "eigenvalues": values[::-1][: settings["n_eigenvalues"]].copy(),
        "least_eigenvalue": float(values[0]),
        "trace": float(np.trace(matrix)),
        "trace_error": 0.0,
        "grid": grid,
        "density": density,
    }


def _estimated(H: Products, settings: dict[str, Any]) -> dict[str, Any]:
    begin = torch.randn(H.n, dtype=torch.float64).numpy()
    tolerance = settings["tolerance"]
    values = _outermost(H, 0.0, settings["n_eigenvalues"], begin, tolerance, which="LA")
    greatest = values[0]
    # From the greatest one the least is the farthest, and is found to the tolerance of the whole range.
    least = np.nan if np.isnan(greatest) else greatest + _outermost(H, greatest, 1, begin, tolerance, which="LM")[0]
    traces = [float(H.curvlinops.hutchinson_trace(H.operator, 1)) for _ in range(settings["n_probes"])]
    H.n_products += settings["n_probes"]
    is_known = settings["n_lanczos"] and not np.isnan(least)
    grid, density = _lanczos(H, settings["n_lanczos"], float(least), float(greatest)) if is_known else (None, None)
    return {
        "eigenvalues": values,
        "least_eigenvalue": float(least),
        "trace": float(np.mean(traces)),
        "trace_error": float(np.std(traces, ddof=1) / np.sqrt(len(traces))),
        "grid": grid,
        "density": density,
    }


def _outermost(H: Products, shift: float, k: int, begin: np.ndarray, tolerance: float, *, which: str) -> Vector:
    """Return eigenvalues of ``H - shift``, greatest first; NaN for those that the iteration did not find."""
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

    product = LinearOperator((H.n, H.n), matvec=lambda vector: H.times_numpy(vector) - shift * vector, dtype=np.float64)
    try:
        values = eigsh(product, k=k, which=which, v0=begin, tol=tolerance, maxiter=_RESTARTS, return_eigenvectors=False)
    except ArpackNoConvergence as error:
        values = error.eigenvalues
    return np.append(np.sort(values)[::-1], np.full(k - len(values), np.nan))


def _lanczos(H: Products, n_lanczos: int, least: float, greatest: float) -> tuple[Grid, Grid]:
    n = min(n_lanczos, H.n - 1)
    H.n_products += n
    grid, density = H.curvlinops.lanczos_approximate_spectrum(H.operator, n, num_points=_GRID, boundaries=(least, greatest))
    return as_numpy(grid), as_numpy(density)


def _smoothed(values: Vector, n_lanczos: int) -> tuple[Grid, Grid]:
    """Return the density of known eigenvalues, as wide a bump each as Lanczos quadrature of so many steps would give it."""
    low, high = float(values[0]), float(values[-1])
    half = max((high - low) / 2, abs(high), 1e-12) if high == low else (high - low) / 2
    width = half * 2 / max(n_lanczos - 1, 1) / np.sqrt(8 * np.log(3))
    grid = np.linspace(low - 5 * width, high + 5 * width, _GRID)
    bumps = np.exp(-0.5 * np.square((grid[:, None] - values) / width)) / (width * np.sqrt(2 * np.pi))
    return grid, bumps.mean(axis=1)


def _refuse_numbers(settings: dict[str, Any]) -> None:
    expectations = {
        "n_eigenvalues": (settings["n_eigenvalues"] >= 1, "1 or more"),
        "n_probes": (settings["n_probes"] >= 2, "2 or more, since their scatter gives the error"),
        "n_lanczos": (settings["n_lanczos"] == 0 or settings["n_lanczos"] >= 2, "2 or more, or 0 for no spectrum"),
        "tolerance": (0 < settings["tolerance"] < 1, "between 0 and 1"),
    }
    for name, (is_met, expected) in expectations.items():
        if not is_met:
            raise InputError(f"{name} must be {expected}, but is {settings[name]!r}; change it")
