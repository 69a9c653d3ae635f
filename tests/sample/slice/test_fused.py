"""A rewritten forward pass is the model's own, wherever its weights are moved, and what cannot be rewritten is left alone."""

import copy

import numpy as np
import pytest
import torch
from tasks_for_workers import small_net, small_task
from torch import nn

from lossatlas import SliceSettings, loss_plane
from lossatlas.sample.slice import layers
from lossatlas.sample.slice.fused import Fused


class _Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.second, self.other = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4, affine=False)
        self.out = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.relu(self.norm(self.first(x)))
        return self.out((h + self.other(self.second(h))).mean(dim=(2, 3)))


class _SeenTwice(nn.Module):
    """The convolution's own output is used beside its batch norm's."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.out = nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Flatten()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.conv(x)
        return self.out(h * self.norm(h))


class _ReluTwice(nn.Module):
    """What goes into a ReLU is used once more: it must not be written over."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.norm(self.conv(x))
        return torch.relu(h) + h


class _ByFunctions(nn.Module):
    """Pooling, ReLU and flattening as functions and methods."""

    def __init__(self, *, is_seen_beside: bool = False) -> None:
        super().__init__()
        self.conv, self.norm, self.out = nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Linear(4 * 16, 3)
        self.is_seen_beside = is_seen_beside

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.norm(self.conv(x)).relu()
        pooled = nn.functional.max_pool2d(h, 2)
        if self.is_seen_beside:
            pooled = pooled + h[:, :, ::2, ::2]
        return self.out(pooled.flatten(1))


class _OtherConv(nn.Conv2d):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) * 2


def _pooled(*pooling: nn.Module, n: int = 16) -> nn.Sequential:
    """A network as the demo's is."""
    first = (nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), *pooling)
    return nn.Sequential(*first, nn.Conv2d(4, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(3 * n, 5))


def _padded(**how: object) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(2, 4, 3, **how), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 3), nn.BatchNorm2d(2))


_NETS = {
    "bias": lambda: nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3)),
    "stride and padding": lambda: nn.Sequential(nn.Conv2d(2, 5, (3, 2), stride=2, padding=(1, 2)), nn.BatchNorm2d(5), nn.Tanh()),
    "dilation": lambda: nn.Sequential(nn.Conv2d(2, 5, 3, dilation=2, bias=False), nn.Conv2d(5, 4, 2), nn.BatchNorm2d(4)),
    "groups": lambda: nn.Sequential(nn.Conv2d(2, 4, 3, groups=2), nn.BatchNorm2d(4)),
    "linear": lambda: nn.Sequential(nn.Flatten(), nn.Linear(128, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3)),
    "residual": _Residual,
    "pooled": lambda: _pooled(nn.ReLU(), nn.MaxPool2d(2)),
    "pooled without a relu": lambda: _pooled(nn.MaxPool2d((4, 4), 4), n=4),
    "pooled with a rest": lambda: _pooled(nn.ReLU(), nn.MaxPool2d(3), n=4),
    "pooled with overlaps": lambda: _pooled(nn.ReLU(), nn.MaxPool2d(4, stride=2), n=9),
    "pooled with a margin": lambda: _pooled(nn.MaxPool2d(2, padding=1), n=25),
    "pooled by the mean": lambda: _pooled(nn.ReLU(), nn.AvgPool2d(2)),
    "flattened after pooling": lambda: nn.Sequential(*_pooled()[:5], nn.MaxPool2d(2), nn.Flatten(), nn.Linear(48, 5)),
    "flattened into batch norm": lambda: nn.Sequential(*_pooled(n=64), nn.BatchNorm1d(5)),
    "relu twice": _ReluTwice,
    "by functions": _ByFunctions,
    "pooled and seen beside": lambda: _ByFunctions(is_seen_beside=True),
    "seen twice": _SeenTwice,
    "wide": lambda: nn.Sequential(nn.Conv2d(2, 3, 7, padding=3), nn.BatchNorm2d(3)),
    "inherited": lambda: nn.Sequential(_OtherConv(2, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4)),
    "padded by reflection": lambda: _padded(padding=1, padding_mode="reflect"),
    "padded the same": lambda: _padded(padding="same"),
}  # fmt: skip


def _net(kind: str) -> nn.Module:
    with torch.random.fork_rng([]):
        torch.random.manual_seed(4)
        model = _NETS[kind]().double()
        for buffer in model.buffers():
            if buffer.is_floating_point():
                buffer.uniform_(0.5, 2)
    return model.eval()


@pytest.mark.parametrize("are_kept", [True, False])
@pytest.mark.parametrize("kind", _NETS)
def test_it_is_the_models_output_also_after_the_weights_have_moved(kind, are_kept, monkeypatch):
    if not are_kept:
        monkeypatch.setattr(layers, "_KEPT", 0)
    model = _net(kind)
    generator = torch.Generator().manual_seed(0)
    inputs = [torch.randn(3, 2, 8, 8, generator=generator, dtype=torch.float64) for _ in range(2)]
    made = Fused(model)
    assert made.is_worth_it
    made.look_at(inputs)
    with torch.no_grad():
        for _ in range(2):
            made.refold()
            for x in (*inputs, torch.ones(1, 2, 8, 8, dtype=torch.float64)):
                torch.testing.assert_close(made(x), model(x), rtol=1e-12, atol=1e-12)
            for tensor in (*model.parameters(), *(b for b in model.buffers() if b.is_floating_point())):
                tensor.add_(0.1)


def test_the_model_itself_is_as_it_was():
    model = _net("residual")
    before = copy.deepcopy(model)
    Fused(model).refold()
    assert [name for name, _ in model.named_modules()] == [name for name, _ in before.named_modules()]
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), before.state_dict().values(), strict=True))


def test_of_a_network_of_the_usual_shape_three_layers_are_left():
    nodes = Fused(_net("pooled"))._graph.graph.nodes
    # Batch norm, pooling and flattening have gone into them.
    assert [node.target for node in nodes][1:-1] == ["_fused_0", torch.relu_, "_fused_1", torch.relu_, "_fused_2"]


def test_nothing_to_do_is_said_and_hooks_are_left_alone():
    assert not Fused(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)).eval()).is_worth_it
    model = nn.Sequential(nn.Linear(4, 2), nn.BatchNorm1d(2)).eval()
    assert Fused(model).is_worth_it
    model[0].register_forward_hook(lambda *_: None)
    assert not Fused(model).is_worth_it
    training = nn.Sequential(nn.Linear(4, 2), nn.BatchNorm1d(2, track_running_stats=False))
    assert not Fused(training.eval()).is_worth_it


@pytest.mark.parametrize("batchnorm", ["recompute", "stale"])
def test_a_plane_by_it_is_the_loops(batchnorm):
    made = {
        name: loss_plane(
            small_task(), small_net(5).state_dict(), reach=1.0, n=6, settings=SliceSettings(batchnorm=batchnorm, engine=name)
        )
        for name in ("loop", "fused")
    }
    assert made["fused"].losses.diagnostics["engine"] == "fused"
    np.testing.assert_allclose(made["fused"].loss, made["loop"].loss, rtol=1e-5)
