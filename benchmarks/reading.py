"""Memory of importing and auditing many large snapshots; ``python -m benchmarks.reading``.

Each call runs in a process of its own; its peak is that of the resident memory, which counts pages of mapped files too, over what
the libraries and one tiny call need.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from benchmarks.machine import described
from benchmarks.tables import table
from lossatlas.store import RawTensor, RunWriter, TensorEntry, open_run

ASKED = 1.5
WEIGHTS = 100_000_000
MANY, MANY_S = 20_000, 2.0


def main(argv: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading", description=__doc__)
    parser.add_argument("--snapshots", type=int, default=50)
    parser.add_argument("--weights", type=int, default=WEIGHTS)
    parser.add_argument("--formats", nargs="+", default=["safetensors", "pt"])
    asked = parser.parse_args(argv)
    print(described())
    rows = []
    for kind in asked.formats:
        with tempfile.TemporaryDirectory() as folder:
            checkpoints = Path(folder, "checkpoints")
            size = _write(checkpoints, kind, asked.snapshots, asked.weights)
            for what in ("import", "audit"):
                peak, seconds = _child(what, checkpoints, Path(folder, "run"))
                met = "yes" if peak <= ASKED * size else "no"
                rows.append([kind, what, f"{peak / 1e6:.0f}", f"{peak / size:.2f}", met, f"{seconds:.0f}"])
            peak, seconds = _child("audit", Path(folder, "run"), Path(folder, "none"))
            rows.append([f"the run from {kind}", "audit", f"{peak / 1e6:.0f}", f"{peak / size:.2f}", "", f"{seconds:.0f}"])
    print(f"{MANY:,} snapshots are opened in {_opened():.2f} s; asked were {MANY_S}")
    print(f"{asked.snapshots} snapshots of {size / 1e6:.0f} MB, {asked.weights:,} weights")
    print(table(["checkpoints", "what", "peak, MB", "of a snapshot", f"at most {ASKED}", "s"], rows))


def _write(folder: Path, kind: str, n: int, n_weights: int) -> int:
    """Write checkpoints of a model with an embedding of a third of its weights and twelve layers; return the size of one."""
    folder.mkdir()
    embedding, layer = n_weights // 3, n_weights * 2 // 3 // 12
    rng = np.random.default_rng(0)
    tensors = {"embedding": rng.standard_normal(embedding, np.float32)}
    tensors |= {f"layers.{i}.weight": rng.standard_normal(layer, np.float32) for i in range(12)}
    for step in range(n):
        for tensor in tensors.values():
            np.add(tensor, 0.01 * np.float32(1 + step % 3), out=tensor)
        state = {name: torch.from_numpy(tensor) for name, tensor in tensors.items()}
        file = folder / f"step{step}.{kind}"
        save_file(state, file) if kind == "safetensors" else torch.save(state, file)
    return sum(tensor.nbytes for tensor in tensors.values())


def _opened() -> float:
    """Return the seconds that opening a run of very many small snapshots takes, the best of three."""
    with tempfile.TemporaryDirectory() as folder:
        data = np.zeros(4, "<f4").tobytes()
        # The disk need not be waited for 40,000 times: it is reading that is measured.
        with (
            patch("os.fsync"),
            RunWriter(Path(folder, "run"), [TensorEntry("w", (4,), "F32", "parameter")]) as writer,
        ):
            for step in range(MANY):
                writer.append({"w": RawTensor("F32", (4,), data)}, step=step, metrics={"loss": 1.0})
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            open_run(Path(folder, "run"))
            seconds.append(time.perf_counter() - start)
    return min(seconds)


def _child(what: str, source: Path, run: Path) -> tuple[float, float]:
    program = [sys.executable, "-c", "from benchmarks.reading import measure; import sys; measure(*sys.argv[1:])"]
    made = subprocess.run([*program, what, str(source), str(run)], check=True, capture_output=True, text=True)
    peak, seconds = made.stdout.split()
    return float(peak), float(seconds)


def measure(what: str, source: str, run: str) -> None:
    """Print the bytes that a call needs at most, and its seconds."""
    import lossatlas as la

    small = Path(tempfile.mkdtemp())
    for step in range(3):
        torch.save(nn.Linear(3, 2).state_dict(), small / f"step{step}.pt")
        save_file(nn.Linear(3, 2).state_dict(), small / f"step{step + 3}.safetensors")
    la.import_checkpoints(small, small / "run")
    la.audit(small)
    la.audit(small / "run")
    shutil.rmtree(small)
    before, start = _peak(), time.perf_counter()
    if what == "import":
        la.import_checkpoints(source, run)
    else:
        la.audit(source)
    print(_peak() - before, time.perf_counter() - start)


def _peak() -> int:
    # Of this program: what resource.getrusage gives counts the one that started it too.
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s*(\d+) kB", status)[1])


if __name__ == "__main__":
    main()
