"""What recording costs: training with and without it, and its bytes beside a plain write; ``python -m benchmarks.recording``."""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

import lossatlas as la
from benchmarks.machine import described
from benchmarks.pairs import paired, timed_in_turn
from benchmarks.tables import table
from lossatlas.sample import fixed_randomness

OVERHEAD = 1.05
WRITE = 1.3


def convolutional() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """A network of 120,000 weights and a batch of 64 images of 16 x 16."""
    model = nn.Sequential(
        *(nn.Conv2d(3, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(512, 50)),
    )
    return model, torch.randn(64, 3, 16, 16), torch.randint(50, (64,))


def transformer() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """Two layers of width 128 and a batch of 16 sequences of 32."""
    layer = nn.TransformerEncoderLayer(128, 4, 256, dropout=0.0, batch_first=True)
    model = nn.Sequential(nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), nn.Flatten(), nn.Linear(32 * 128, 50))
    return model, torch.randn(16, 32, 128), torch.randint(50, (16,))


def train(make: Callable[[], tuple[nn.Module, torch.Tensor, torch.Tensor]], *, steps: int, every: int | None) -> None:
    """Train so many steps, recorded every so many or not at all."""
    with fixed_randomness(0), tempfile.TemporaryDirectory() as folder:
        model, x, y = make()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
        recorder = la.Recorder(Path(folder) / "run", model, every=every) if every else None
        for _ in range(steps):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            if recorder:
                recorder.step(loss=loss)
        if recorder:
            recorder.close()


def overhead_table(*, steps: int, rounds: int) -> str:
    """Return seconds of each loop with a point every ten steps and without a recorder; the last write is waited for."""
    rows = []
    for name, make in {"convolutional": convolutional, "transformer": transformer}.items():
        seconds = timed_in_turn(
            {
                "without": lambda make=make: train(make, steps=steps, every=None),
                "recorded": lambda make=make: train(make, steps=steps, every=10),
            },
            rounds=rounds,
        )
        pair = paired(seconds["without"].wall, seconds["recorded"].wall)
        size = sum(p.numel() for p in make()[0].parameters())
        plain = statistics.median(seconds["without"].wall)
        rows.append([f"{name}, {size:,} weights", f"{plain:.2f}", f"{pair.ratio:.3f} ({pair.least:.3f} to {pair.most:.3f})"])
    return table(("loop", "s without", "times that with every=10 (range)"), rows)


def bytes_table(*, points: int, rounds: int) -> str:
    """Return seconds of recording a network of 11 million weights, and of writing its bytes to synced files of the same size."""
    model = nn.Sequential(*(nn.Linear(1_000, 1_000) for _ in range(11)))
    waits: list[float] = []

    def recorded() -> None:
        with tempfile.TemporaryDirectory() as folder, la.Recorder(Path(folder) / "run", model) as recorder:
            for _ in range(points - 1):
                began = time.perf_counter()
                recorder.step()
                waits.append(time.perf_counter() - began)

    def plain() -> None:
        data = [p.detach().numpy().tobytes() for p in model.parameters()]
        with tempfile.TemporaryDirectory() as folder:
            for i in range(points):
                with (Path(folder) / str(i)).open("wb") as stream:
                    stream.writelines(data)
                    stream.flush()
                    os.fsync(stream.fileno())

    seconds = timed_in_turn({"plain": plain, "recorded": recorded}, rounds=rounds)
    pair = paired(seconds["plain"].wall, seconds["recorded"].wall)
    size = sum(p.numel() for p in model.parameters())
    copy = _copy_seconds(model)
    row = [
        f"{points} points of {size:,} weights",
        f"{statistics.median(seconds['plain'].wall):.2f}",
        f"{pair.ratio:.2f} ({pair.least:.2f} to {pair.most:.2f})",
        f"{1e3 * statistics.median(waits):.0f}",
        f"{1e3 * copy:.0f}",
    ]
    return table(("what", "s, plain write", "recorded, times that (range)", "ms a step waits", "ms a copy takes"), [row])


def _copy_seconds(model: nn.Module) -> float:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        _ = [p.detach().clone() for p in model.parameters()]
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recording", description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    print(described(("torch",)))
    print(overhead_table(steps=asked.steps, rounds=asked.rounds))
    print(f"\nThe bar: {OVERHEAD}.\n")
    print(bytes_table(points=asked.points, rounds=asked.rounds))
    print(f"\nThe bar: {WRITE}.")


if __name__ == "__main__":
    main()
