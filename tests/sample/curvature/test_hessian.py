"""The Hessian: closed forms, a whole matrix by autograd, and the statistics of what is estimated."""

import builtins

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from landscapes import landscape, quadratic, state
from scipy.integrate import trapezoid
from tasks_for_workers import batches, small_task
from torch import nn

from lossatlas import curvature
from lossatlas.sample.curvature import hessian, products

_RNG = np.random.default_rng(0)


def _symmetric(values: np.ndarray) -> np.ndarray:
    Q, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((len(values), len(values))))
    H = Q @ np.diag(values) @ Q.T
    return (H + H.T) / 2


@settings(max_examples=20)
@given(st.lists(st.floats(-10, 10), min_size=2, max_size=8), st.floats(-1, 1))
def test_a_quadratic_has_its_own_hessian(values, level):
    H, centre = _symmetric(np.array(values)), np.arange(len(values), dtype=float)
    task = landscape(quadratic(H, centre, level), centre)
    found = curvature(task, state(centre + 0.3), n_eigenvalues=len(values))
    assert found.is_exact
    np.testing.assert_allclose(found.eigenvalues, np.sort(values)[::-1], atol=1e-10)
    assert found.least_eigenvalue == pytest.approx(min(values), abs=1e-10)
    assert found.trace == pytest.approx(sum(values), abs=1e-9)
    assert found.trace_error == 0


def _large() -> tuple[np.ndarray, object, dict]:
    values = np.concatenate([np.linspace(5, 30, 5), _RNG.uniform(-0.5, 1, 595)])
    centre = _RNG.standard_normal(600)
    return values, landscape(quadratic(_symmetric(values), centre), centre), state(centre)


def test_beyond_512_weights_it_is_estimated_to_the_tolerance():
    values, task, point = _large()
    found = curvature(task, point, n_eigenvalues=3, n_probes=30, n_lanczos=40, tolerance=1e-4)
    assert not found.is_exact
    np.testing.assert_allclose(found.eigenvalues, np.sort(values)[::-1][:3], rtol=1e-4)
    assert found.least_eigenvalue == pytest.approx(values.min(), abs=1e-4 * np.ptp(values))
    assert abs(found.trace - values.sum()) < 4 * found.trace_error
    assert found.trace_error < 0.2 * values.sum()
    assert trapezoid(found.density, found.grid) == pytest.approx(1, abs=1e-3)
    # The five outliers are five of six hundred.
    outside = found.grid > 3
    assert trapezoid(found.density[outside], found.grid[outside]) == pytest.approx(5 / 600, abs=0.01)
    assert found.diagnostics["n_products"] < 600


def test_the_error_of_the_trace_is_the_scatter_of_estimates():
    values, task, point = _large()
    found = [curvature(task, point, n_eigenvalues=1, n_probes=8, tolerance=0.1, seed=seed) for seed in range(12)]
    traces = np.array([one.trace for one in found])
    assert traces.mean() == pytest.approx(values.sum(), abs=4 * traces.std() / np.sqrt(12))
    assert 0.4 < np.mean([one.trace_error for one in found]) / traces.std(ddof=1) < 2.5


def test_the_density_of_a_known_spectrum_integrates_to_one_and_has_its_peaks():
    values = np.array([0.0, 0.0, 0.0, 10.0])
    task = landscape(quadratic(_symmetric(values), np.zeros(4)), np.zeros(4))
    found = curvature(task, state(np.zeros(4)), n_eigenvalues=1, n_lanczos=30)
    assert trapezoid(found.density, found.grid) == pytest.approx(1, abs=1e-3)
    low = found.grid < 5
    assert trapezoid(found.density[low], found.grid[low]) == pytest.approx(0.75, abs=1e-3)


@pytest.mark.parametrize("data", ["train", "test"])
def test_a_network_has_the_hessian_that_autograd_forms(data):
    with torch.random.fork_rng([]):
        torch.random.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(16, 6), nn.Tanh(), nn.Linear(6, 2)).double()
    model[1].bias.requires_grad = False
    train, test = ([(x.double(), y) for x, y in batches(n)] for n in (3, 5))
    # An odd batch: the mean is over samples, not over batches.
    train.append((train[0][0][:3], train[0][1][:3]))
    task = small_task(model=model, train=train, test=test)
    x, y = (torch.cat(parts) for parts in zip(*(train if data == "train" else test), strict=True))
    own = {name: p for name, p in model.named_parameters() if p.requires_grad}

    def loss(vector: torch.Tensor) -> torch.Tensor:
        parts = vector.split([p.numel() for p in own.values()])
        weights = {name: part.reshape(p.shape) for (name, p), part in zip(own.items(), parts, strict=True)}
        return task.loss(torch.func.functional_call(model, weights, (x,)), y)

    H = torch.func.hessian(loss)(torch.cat([p.detach().reshape(-1) for p in own.values()])).numpy()
    found = curvature(task, model.state_dict(), data=data, n_eigenvalues=4)
    np.testing.assert_allclose(found.eigenvalues, np.linalg.eigvalsh(H)[::-1][:4], rtol=1e-8)
    assert found.trace == pytest.approx(np.trace(H), rel=1e-8)


class _Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inward = nn.Linear(4, 12)
        self.out = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # A head axis, without which torch never takes a fused kernel.
        q, k, v = self.inward(x.reshape(len(x), 1, 4, 4)).chunk(3, dim=-1)
        return self.out(nn.functional.scaled_dot_product_attention(q, k, v).mean(dim=(1, 2)))


def test_attention_has_a_second_derivative():
    with torch.random.fork_rng([]):
        torch.random.manual_seed(0)
        model = _Attention()
    assert np.isfinite(curvature(small_task(model=model), model.state_dict()).eigenvalues).all()


def test_a_layer_without_a_forward_derivative_is_differentiated_twice_backwards():
    with torch.random.fork_rng([]):
        torch.random.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4), nn.Flatten(), nn.Linear(16, 2)).double()
    data = [(x.double(), y) for x, y in batches(2)]
    task = small_task(model=model, train=data)
    parameters = list(model.parameters())

    def loss(*weights: torch.Tensor) -> torch.Tensor:
        given = dict(zip((name for name, _ in model.named_parameters()), weights, strict=True))
        parts = [nn.functional.cross_entropy(torch.func.functional_call(model, given, (x,)), y) * len(y) for x, y in data]
        return sum(parts) / 11

    rows = torch.autograd.functional.hessian(loss, tuple(p.detach() for p in parameters))
    flat = [[block.reshape(p.numel(), -1) for block in row] for p, row in zip(parameters, rows, strict=True)]
    H = torch.cat([torch.cat(row, dim=1) for row in flat]).numpy()
    found = curvature(task, model.state_dict(), n_eigenvalues=4)
    np.testing.assert_allclose(found.eigenvalues, np.linalg.eigvalsh(H)[::-1][:4], rtol=1e-8)
    assert found.trace == pytest.approx(np.trace(H), rel=1e-8)
    assert found.least_eigenvalue == pytest.approx(np.linalg.eigvalsh(H)[0], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"n_eigenvalues": 0}, "n_eigenvalues must be 1 or more, but is 0"),
        ({"n_probes": 1}, "n_probes must be 2 or more, since"),
        ({"n_lanczos": 1}, "n_lanczos must be 2 or more, or 0"),
        ({"tolerance": 1.0}, "tolerance must be between 0 and 1"),
        ({"n_eigenvalues": 3}, "at most the number of weights, 2, but is 3"),
    ],
)
def test_numbers_out_of_range_are_refused(given, said, refuses):
    task = landscape(quadratic(np.eye(2), np.zeros(2)), np.zeros(2))
    with refuses(said):
        curvature(task, state(np.zeros(2)), **({"n_eigenvalues": 1} | given))


def test_without_curvlinops_it_says_what_to_install(monkeypatch, refuses):
    real = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name == "curvlinops":
            raise ImportError("no module named curvlinops")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with refuses(r"pip install 'lossatlas\[curvature\]'"):
        products.curvlinops_package()


def test_eigenvalues_that_were_not_found_are_nan(monkeypatch):
    monkeypatch.setattr(hessian, "_RESTARTS", 1)
    values = np.linspace(0, 1, 600)
    task = landscape(quadratic(_symmetric(values), np.zeros(600)), np.zeros(600))
    found = curvature(task, state(np.zeros(600)), n_eigenvalues=5, tolerance=1e-12)
    assert np.isnan(found.eigenvalues[-1])
