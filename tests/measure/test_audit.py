"""What is planted in a run or in checkpoints is found; a clean training has nothing wrong."""

import itertools
import json
import shutil

import numpy as np
import pytest
import torch
from torch import nn

from lossatlas import Recorder, audit, open_run
from lossatlas.measure.auditing.checks import _best_exchange
from lossatlas.record import import_checkpoints


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _trained(folder, *, seed: int = 0, epochs: int = 16, lr: float = 0.1, decay: float = 1.0):
    """Train a small network, and leave a checkpoint an epoch."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng([]):
        torch.random.manual_seed(seed)
        model = nn.Sequential(nn.Linear(6, 16, bias=False), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))
    x, y = torch.randn(64, 6, generator=generator), torch.randint(3, (64,), generator=generator)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    folder.mkdir(parents=True)
    for epoch in range(1, epochs + 1):
        for batch in torch.randperm(64, generator=generator).split(16):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
            optimizer.step()
        optimizer.param_groups[0]["lr"] *= decay
        torch.save(model.state_dict(), folder / f"step_{10 * epoch}.pt")
    return folder


def _file(folder, number: int):
    return folder / f"step_{10 * number}.pt"


def _kinds(found) -> set[str]:
    return {finding.kind for finding in found.findings}


@pytest.mark.parametrize("seed", range(20))
def test_a_clean_training_has_nothing_wrong(tmp_path, seed):
    # Short and long, at rates that are constant, fall to nothing, or keep it bouncing at the bottom.
    epochs, lr, decay = [(12, 0.1, 1.0), (40, 0.05, 0.8), (120, 0.3, 1.0), (30, 0.01, 1.0)][seed % 4]
    folder = _trained(tmp_path / "left", seed=seed, epochs=epochs, lr=lr, decay=decay)
    assert audit(folder).findings == ()


def test_a_run_and_its_checkpoints_are_looked_at_alike(tmp_path):
    folder = _trained(tmp_path / "left")
    run = import_checkpoints(folder, tmp_path / "run")
    for given in (folder, run, tmp_path / "run", str(tmp_path / "run"), [folder]):
        found = audit(given)
        assert found.is_clean
        assert found.n_points == 16
        assert found.n_tensors == 8


@pytest.mark.parametrize(("a", "b"), [(5, 6), (3, 12), (8, 9), (2, 15), (7, 10)])
def test_snapshots_in_each_others_place_are_found(tmp_path, a, b):
    folder = _trained(tmp_path / "left")
    _file(folder, a).rename(folder / "aside")
    _file(folder, b).rename(_file(folder, a))
    (folder / "aside").rename(_file(folder, b))
    (finding,) = audit(folder).findings
    assert finding.kind == "out of order"
    assert finding.points == (f"step_{10 * a}.pt", f"step_{10 * b}.pt")
    assert "exchanged, the path around them is" in finding.what


def test_the_final_weights_under_every_name_are_found(tmp_path):
    folder = _trained(tmp_path / "left")
    for number in range(4, 16):
        shutil.copy(_file(folder, 16), _file(folder, number))
    finding = audit(folder).findings[0]
    assert finding.kind == "identical"
    assert finding.points == tuple(f"step_{10 * number}.pt" for number in range(4, 17))
    assert "the same to the last bit at steps 40, 50," in finding.what


def test_a_copy_is_found_to_the_last_bit_and_but_for_rounding(tmp_path):
    folder = _trained(tmp_path / "left")
    shutil.copy(_file(folder, 4), _file(folder, 12))
    found = audit(folder)
    assert found.findings[0].points == ("step_40.pt", "step_120.pt")
    assert "to the last bit at steps 40, 120" in found.findings[0].what
    near = {n: t * (1 + 1e-7) if t.is_floating_point() else t for n, t in torch.load(_file(folder, 4), weights_only=True).items()}  # noqa: TID251
    torch.save(near, _file(folder, 12))
    found = audit(folder)
    assert found.findings[0].points == ("step_40.pt", "step_120.pt")
    assert "as rounding leaves it" in found.findings[0].what


def _changed(folder, number: int, change) -> None:
    state = torch.load(_file(folder, number), weights_only=True)  # noqa: TID251
    change(state)
    torch.save(state, _file(folder, number))


def test_values_that_are_no_numbers_are_found_with_their_tensor(tmp_path):
    folder = _trained(tmp_path / "left")
    _changed(folder, 9, lambda state: state["3.weight"].view(-1)[4:6].fill_(float("nan")))
    _changed(folder, 11, lambda state: state["1.bias"].view(-1)[1:2].fill_(float("-inf")))
    found = audit(folder).findings
    assert [(f.kind, f.points, f.tensor, f.what) for f in found] == [
        ("not finite", ("step_90.pt",), "3.weight", "2 values are NaN or infinite"),
        ("not finite", ("step_110.pt",), "1.bias", "1 value is NaN or infinite"),
    ]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
def test_large_tensors_are_looked_at_to_their_ends(tmp_path, dtype):
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(1_500_001, generator=generator).to(dtype)  # in pieces of some megabytes
    for number in range(6):
        weights = weights + torch.randn(1, generator=generator).to(dtype) / 10
        state = {"w": weights.clone(), "turned": weights[:6].reshape(2, 3).t().clone()}
        if number == 3:
            state["w"][-1] = float("nan")
        if number in {2, 4}:  # the same but for their last value
            state["w"][:-1], state["w"][-1] = 1, number
            state["turned"] = torch.ones(3, 2, dtype=dtype)
        torch.save(state, tmp_path / f"step{number}.pt")
    found = audit(tmp_path).findings
    lost = [(f.points, f.what) for f in found if f.kind == "not finite"]
    assert lost == [(("step3.pt",), "1 value is NaN or infinite")]
    assert "identical" not in {f.kind for f in found}


def test_a_tensor_that_never_moves_is_found(tmp_path):
    folder = _trained(tmp_path / "left")
    frozen = torch.load(_file(folder, 1), weights_only=True)["3.bias"]  # noqa: TID251
    for number in range(1, 17):
        _changed(folder, number, lambda state: state.update({"3.bias": frozen}))
    (finding,) = audit(folder).findings
    assert (finding.kind, finding.tensor) == ("never moved", "3.bias")
    assert finding.what == "is the same in all 16 snapshots"


def test_a_missing_snapshot_a_jump_and_a_change_of_shape_or_type_are_found(tmp_path):
    folder = _trained(tmp_path / "left")
    _file(folder, 7).unlink()
    (finding,) = audit(folder).findings
    assert finding.kind == "gap"
    assert finding.what == "no snapshot from step 60 to 80, where others are 10 apart"
    folder = _trained(tmp_path / "jump")
    for number in range(10, 17):
        _changed(folder, number, lambda state: state["0.weight"].add_(5))
    (finding,) = audit(folder).findings
    assert (finding.kind, finding.points) == ("jump", ("step_90.pt", "step_100.pt"))
    folder = _trained(tmp_path / "layout")
    _changed(
        folder,
        16,
        lambda state: state.update({"3.weight": state["3.weight"].half(), "1.bias": state["1.bias"][:3], "new": torch.ones(1)}),
    )
    found = {f.tensor: f.what for f in audit(folder).findings}
    assert found == {
        "3.weight": "was F32 (3, 16) and is F16 (3, 16)",
        "1.bias": "was F32 (16,) and is F32 (3,)",
        "new": "is new",
    }


def test_a_damaged_file_of_a_run_and_of_a_checkpoint_are_found(tmp_path):
    folder = _trained(tmp_path / "left")
    import_checkpoints(folder, tmp_path / "run")
    file = tmp_path / "run" / "snapshots" / "000003.safetensors"
    content = bytearray(file.read_bytes())
    content[-5] ^= 4
    file.write_bytes(content)
    (finding,) = audit(tmp_path / "run").findings
    assert (finding.kind, finding.points) == ("damaged", ("point 3",))
    assert "is not what was written" in finding.what
    _file(folder, 3).write_bytes(b"nothing")
    (finding,) = audit(folder).findings
    assert (finding.kind, finding.points) == ("damaged", ("step_30.pt",))


def test_a_run_of_a_model_that_does_not_move_is_said_once(tmp_path):
    with Recorder(tmp_path / "run", nn.Linear(3, 2)) as recorder:
        for _ in range(6):
            recorder.step()
    assert _kinds(audit(open_run(tmp_path / "run"))) == {"identical"}


def _length(D, order):
    return sum(D[a, b] for a, b in itertools.pairwise(order))


def test_the_best_exchange_is_that_of_trying_them_all():
    rng = np.random.default_rng(0)
    for _ in range(30):
        n = int(rng.integers(5, 12))
        points = np.arange(n)[:, None] * np.ones(3) + rng.normal(size=(n, 3)) * 0.1
        order = np.arange(n)
        i, j = sorted(rng.choice(n, 2, replace=False))
        order[[i, j]] = j, i
        D = np.linalg.norm(points[order][:, None] - points[order][None], axis=2)
        if j == i + 1 and (i == 0 or j == n - 1):
            continue  # one side is free
        share, a, b = _best_exchange(D)
        assert (a, b) == (i, j)
        edges = {place for place in (a - 1, a, b - 1, b) if 0 <= place < n - 1}
        mended = np.arange(n)
        mended[[a, b]] = b, a
        before = sum(D[p, p + 1] for p in edges)
        assert share == pytest.approx((_length(D, np.arange(n)) - _length(D, mended)) / before)


def test_the_command_prints_what_it_found_and_ends_with_1(tmp_path, monkeypatch):
    from test_cli import call

    folder = _trained(tmp_path / "left")
    done = call("audit", "left", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout == "16 snapshots of 8 tensors: nothing is wrong\n"
    shutil.copy(_file(folder, 4), _file(folder, 12))
    done = call("audit", "left", cwd=tmp_path)
    assert done.returncode == 1
    assert "step_40.pt and step_120.pt" in done.stdout
    done = call("audit", "left", "--json", cwd=tmp_path)
    assert done.returncode == 1
    numbers = json.loads(done.stdout)
    assert numbers["is_clean"] is False
    assert numbers["findings"][0]["kind"] == "identical"
    assert numbers["findings"][0]["points"] == ["step_40.pt", "step_120.pt"]
    done = call("audit", "nowhere", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    done = call("import", "left", "-o", "run", "--json", cwd=tmp_path)
    assert done.returncode == 0
    assert json.loads(done.stdout)["steps"] == [10 * n for n in range(1, 17)]
    again = call("import", "left", "-o", "run", cwd=tmp_path)
    assert again.returncode == 2
    assert "holds a run already" in again.stderr
