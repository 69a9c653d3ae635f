"""``python -m benchmarks.scale``: what a map of very many points of a very large network costs, by formulas.

Each number of the table follows from one line of arithmetic below, from the fields of :class:`Scale`: how much there is, what is
assumed of the machines, and what was measured of this library. ``--weights 1e9`` and its like put in numbers of one's own.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from benchmarks.tables import filled, table

_HOUR, _MONTH_TB = 3600.0, 1e12


def _given(value: float, says: str) -> Any:
    """Return a field that says what it is, and in which unit."""
    return field(default=value, metadata={"says": says})


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much there is, what is assumed of machines and prices, and what was measured."""

    snapshots: float = _given(1e5, "points in all")
    weights: float = _given(1e10, "of the network")
    retrainings: float = _given(1e4, "of which most points are")
    trainings: float = _given(10, "from one start")
    tokens_per_weight: float = _given(20, "of a training: where compute is best spent (Hoffmann et al. 2022)")
    retraining_share: float = _given(1e-3, "tokens of a retraining over those of a training")
    probe_tokens: float = _given(1e6, "on which the loss of a snapshot is measured")

    gpus: float = _given(256, "that share a model in training")
    gpu_flops: float = _given(989e12, "a second: bfloat16 without sparsity of an H100, by its maker")
    utilisation: float = _given(0.4, "of that, reached in training")
    least_price: float = _given(2, "dollars a GPU hour")
    most_price: float = _given(4, "dollars a GPU hour")
    host_copy: float = _given(25e9, "bytes a second from a GPU to its host")
    file_system: float = _given(10e9, "bytes a second, all readers together")
    price_of_disk: float = _given(20, "dollars a TB and month")
    stored_bytes: float = _given(2, "a weight on disk, bfloat16")
    master_bytes: float = _given(4, "a weight as it is trained and sketched, float32")
    state_bytes: float = _given(16, "a weight in training: itself, its gradient and Adam's two moments in float32")

    k: float = _given(4096, "numbers of a sketch")
    landmarks: float = _given(2000, "between which the walk goes")
    shown: float = _given(5000, "points of the page")
    sketch_ns: float = _given(1.8, "nanoseconds a weight on one core, measured (benchmarks/README.md, Sketches)")
    sgemm: float = _given(215e9, "operations a second on two cores, measured (benchmarks/README.md, Where the time goes)")
    page_bytes: float = _given(260, "a point shown, measured (python -m benchmarks.bookkeeping)")

    def flops(self, tokens: float) -> float:
        """Operations of training on so many tokens: 2 a weight forwards, 4 backwards."""
        return 6 * self.weights * tokens

    def gpu_hours(self, flops: float) -> float:
        """GPU hours of so many operations."""
        return flops / (self.gpu_flops * self.utilisation) / _HOUR

    @property
    def tokens(self) -> float:
        """Tokens of a training."""
        return self.tokens_per_weight * self.weights

    @property
    def training_hours(self) -> float:
        """GPU hours of all trainings."""
        return self.trainings * self.gpu_hours(self.flops(self.tokens))

    @property
    def retraining_hours(self) -> float:
        """GPU hours of all retrainings."""
        return self.retrainings * self.gpu_hours(self.flops(self.tokens * self.retraining_share))

    @property
    def probe_hours(self) -> float:
        """GPU hours of measuring the loss of each snapshot, forwards alone."""
        return self.snapshots * self.gpu_hours(2 * self.weights * self.probe_tokens)

    @property
    def sketch_bytes(self) -> float:
        """Bytes of a sketch on disk: float32, three sums in float64, and a header."""
        return 4 * self.k + 24 + 168


class Cost(NamedTuple):
    """One row: what is done, by what, the arithmetic, and what it comes to."""

    part: str
    engine: str
    formula: str
    amount: str


def costs(scale: Scale) -> list[Cost]:
    """Return what each part takes."""
    return [*_training(scale), *_keeping(scale), *_mapping(scale)]


def _training(s: Scale) -> list[Cost]:
    return [
        Cost("train", "torch, FSDP2", "trainings · 6 · weights · tokens / rate", _gpus(s, s.training_hours)),
        Cost("retrain", "Ray, torch", "retrainings · share · 6 · weights · tokens / rate", _gpus(s, s.retraining_hours)),
        Cost("measure the loss", "torch, FSDP2", "snapshots · 2 · weights · probe tokens / rate", _gpus(s, s.probe_hours)),
        Cost("hold a model in training", "FSDP2", "state bytes · weights", _bytes(s.state_bytes * s.weights)),
    ]


def _keeping(s: Scale) -> list[Cost]:
    all_weights = s.snapshots * s.weights * s.stored_bytes
    part = s.weights / s.gpus
    monthly = all_weights / _MONTH_TB * s.price_of_disk
    return [
        Cost(
            "keep weights",
            "store",
            "snapshots · weights · stored bytes",
            f"{_bytes(all_weights)}, {_short(monthly)} dollars a month",
        ),
        Cost("keep sketches", "store", "snapshots · (4 k + 192)", _bytes(s.snapshots * s.sketch_bytes)),
        Cost(
            "copy a snapshot, training waits",
            "torch",
            "master bytes · weights / GPUs / copy",
            _seconds(s.master_bytes * part / s.host_copy),
        ),
        Cost(
            "sketch it, a thread beside", "numba, each rank", "weights / GPUs · ns a weight", _seconds(part * s.sketch_ns * 1e-9)
        ),
        Cost("hold the start", "each rank", "master bytes · weights / GPUs", _bytes(s.master_bytes * part)),
        Cost(
            "sketch all, cores",
            "numba, each rank",
            "snapshots · weights · ns a weight",
            f"{s.snapshots * s.weights * s.sketch_ns * 1e-9 / _HOUR:,.0f} core hours",
        ),
    ]


def _mapping(s: Scale) -> list[Cost]:
    n = s.snapshots
    return [
        Cost("read all weights once", "file system", "snapshots · weights · stored bytes / rate", _hours(
            n * s.weights * s.stored_bytes / s.file_system / _HOUR
        )),
        Cost("all distances from weights", "BLAS, two cores", "n² · weights / rate", _hours(n**2 * s.weights / s.sgemm / _HOUR)),
        Cost("all distances in memory", "NumPy", "8 n²", _bytes(8 * n**2)),
        Cost("sketches in memory", "NumPy", "4 n (k + 1)", _bytes(4 * n * (s.k + 1))),
        Cost("neighbours from sketches", "BLAS and numba, two cores", "n² k / rate", _seconds(n**2 * s.k / s.sgemm)),
        Cost("walk of the landmarks", "BLAS, two cores", "8 m²: spectrum, powers, potential", _bytes(8 * s.landmarks**2)),
        Cost("page", "Canvas", "shown · page bytes", _bytes(s.shown * s.page_bytes)),
    ]  # fmt: skip


def _gpus(s: Scale, hours: float) -> str:
    return f"{hours:,.0f} GPU hours, {_short(hours * s.least_price)} to {_short(hours * s.most_price)} dollars"


def _short(amount: float) -> str:
    for unit, name in ((1e9, " thousand million"), (1e6, " million"), (1e3, " thousand")):
        if amount >= unit:
            return f"{amount / unit:.3g}{name}"
    return f"{amount:.3g}"


def _bytes(amount: float) -> str:
    for unit, name in ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if amount >= unit:
            return f"{amount / unit:.3g} {name}"
    return f"{amount / 1e3:.3g} kB"


def _seconds(amount: float) -> str:
    if amount < 1:
        return f"{amount * 1e3:.3g} ms"
    return f"{amount:.3g} s" if amount < _HOUR else _hours(amount / _HOUR)


def _hours(amount: float) -> str:
    return f"{amount:.3g} hours" if amount < 48 else f"{amount / 24:,.0f} days" if amount < 24 * 730 else _years(amount)


def _years(amount: float) -> str:
    return f"{amount / 24 / 365:,.0f} years"


def costs_table(scale: Scale) -> str:
    """Return the costs as a table."""
    return table(("what", "by what", "arithmetic", "comes to"), [list(cost) for cost in costs(scale)])


def assumptions_table(scale: Scale) -> str:
    """Return what the costs rest on as a table: what is given for it to be changed."""
    rows = [[f"`--{_option(one.name)}`", f"{getattr(scale, one.name):g}", one.metadata["says"]] for one in fields(scale)]
    return table(("option", "taken", ""), rows)


def _option(name: str) -> str:
    return name.replace("_", "-")


def document(text: str, scale: Scale | None = None) -> str:
    """Return the page of documentation with its tables filled in."""
    chosen = scale or Scale()
    return filled(text, {"scale": costs_table(chosen), "assumptions": assumptions_table(chosen)})


def main(argv: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    for one in fields(Scale):
        parser.add_argument(
            f"--{_option(one.name)}", type=float, default=one.default, help=f"{one.metadata['says']} ({one.default:g})"
        )
    scale = Scale(**vars(parser.parse_args(argv)))
    print(assumptions_table(scale), costs_table(scale), sep="\n\n")


if __name__ == "__main__":
    main()
