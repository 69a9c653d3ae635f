"""What an installed lossatlas does on its own: ``python -I tests/installed.py look|record FOLDER``.

``look`` draws finished runs where there is no torch, no node and no compiler; ``record`` records, samples and maps with torch.
It is no test by itself: `make release-check` calls it in a fresh environment whose PATH is empty, test_release.py on the wheel.
"""

import contextlib
import io
import json
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

_ELSEWHERE = ("node", "npm", "cc", "gcc", "clang", "c++")  # what a page that is built or a kernel that is compiled would need


class WithoutTorch:
    """A finder that finds no torch."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Refuse torch and what is below it, and leave the rest to others."""
        if name.split(".", maxsplit=1)[0] == "torch":
            raise ModuleNotFoundError(name, name=name)


def finished(path: Path, *, seed: int, settings: dict) -> None:
    """Write a run without torch, as the store alone can."""
    from lossatlas.store import RawTensor, RunWriter, TensorEntry

    rng = np.random.default_rng(seed)
    points = (3 + rng.normal(size=(20, 50)).cumsum(axis=0)).astype(np.float32)
    with RunWriter(path, [TensorEntry("weight", (50,), "F32", "parameter")], settings=settings) as writer:
        for step, row in enumerate(points):
            tensors = {"weight": RawTensor("F32", row.shape, row.tobytes())}
            writer.append(tensors, step=step, metrics={"loss": float(1 / (step + 1))})
        writer.end("complete")


def look(folder: Path) -> None:
    """Map finished runs by call and by command: page, figure, numbers."""
    found = [name for name in _ELSEWHERE if shutil.which(name)]
    assert not found, f"PATH leads to {found}, so this shows nothing"
    sys.meta_path.insert(0, WithoutTorch())  # where it happens to be installed, too
    import lossatlas as la

    assert not can_be_had(la, "Recorder"), "there is a Recorder, so there is torch, and this shows nothing"
    for seed in (0, 1):
        finished(folder / "runs" / f"seed{seed}", seed=seed, settings={"every": "epoch", "seed": seed})
    la.atlas(str(folder / "runs" / "*")).write_html(folder / "called.html")
    numbers = command("map", folder / "runs", "-o", folder / "atlas.html", "--json")
    assert json.loads(numbers)["n_points"] == 40
    command("map", folder / "runs", "-o", folder / "atlas.png")
    for name in ("called.html", "atlas.html"):
        page = (folder / name).read_text()
        assert "lossatlas-scene" in page, f"{name} holds no scene"
        assert "<script" in page, f"{name} holds no viewer"
        assert len(page) > 100_000, f"{name} is {len(page)} characters long"
    assert (folder / "atlas.png").read_bytes().startswith(b"\x89PNG")


def record(folder: Path) -> None:
    """Record a model that trains, sample around where it ends, and map both."""
    import torch

    import lossatlas as la

    generator = torch.Generator().manual_seed(0)
    x = torch.randn(64, 5, generator=generator)
    y = (x[:, :1] > 0).float()
    model = torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    loss_of = torch.nn.functional.binary_cross_entropy_with_logits
    with la.Recorder(folder / "runs" / "sgd", model) as recorder:
        for _ in range(15):
            optimizer.zero_grad()
            loss = loss_of(model(x), y)
            loss.backward()
            optimizer.step()
            recorder.step(loss=loss)
    task = la.Task(model, loss_of, [(x, y)], [(x, y)], lambda parameters: torch.optim.SGD(parameters, lr=0.5))
    settings = la.JumpSettings(seeds=(0,), steps=(0.5,), epochs=5)
    la.jump_and_retrain(task, la.open_run(folder / "runs" / "sgd").snapshot(), folder / "runs" / "around", settings=settings)
    made = la.atlas(folder / "runs")
    made.write_html(folder / "recorded.html")
    assert made.return_ratios, "no retraining is on the map"


def can_be_had(package: object, name: str) -> bool:
    """Return whether a name can be had; one that needs torch says so."""
    try:
        return bool(getattr(package, name))
    except ImportError as error:
        return "needs PyTorch" not in str(error)


def command(*arguments: object) -> str:
    """Return what the command line prints."""
    from lossatlas.cli import main

    told, sys.argv = io.StringIO(), ["lossatlas", *map(str, arguments)]
    code: object = None
    with contextlib.redirect_stdout(told):
        try:
            main()
        except SystemExit as end:
            code = end.code
    assert not code, f"{sys.argv} ended with {code}"
    return told.getvalue()


if __name__ == "__main__":
    what, where = sys.argv[1], Path(sys.argv[2])
    {"look": look, "record": record}[what](where)
    print(f"lossatlas {version('lossatlas')}: {what} does what it should; {where}")  # noqa: T201 - its words
