"""What networks are asked, and that they are left as they were."""

import numpy as np
import pytest
import torch
from torch import nn

from lossatlas import Recorder, Task, open_run, prediction_distances, predictions
from lossatlas.sample import activations


def _task(width=6, *, classes=3, model=None):
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(40, 5, generator=generator), torch.randint(classes, (40,), generator=generator)
    torch.random.manual_seed(width)
    made = model or nn.Sequential(
        nn.Linear(5, width), nn.BatchNorm1d(width), nn.Tanh(), nn.Dropout(0.5), nn.Linear(width, classes)
    )
    return Task(
        made,
        nn.CrossEntropyLoss(),
        [(x, y)],
        list(zip(x.split(7), y.split(7), strict=True)),
        lambda parameters: torch.optim.SGD(parameters, lr=0.5),
    )


def _recorded(task, path, steps=3):
    optimizer = task.optimizer(task.model.parameters())
    with Recorder(path, task.model) as recorder:
        for _ in range(steps):
            for x, y in task.train:
                optimizer.zero_grad()
                task.loss(task.model(x), y).backward()
                optimizer.step()
            recorder.step()
    return open_run(path)


def _expected(task, snapshot, x):
    task.model.load_state_dict({name: torch.as_tensor(value) for name, value in snapshot.items()}, strict=False)
    with torch.no_grad():
        return torch.log_softmax(task.model.eval()(x), dim=1).numpy()


def test_they_are_the_softmax_of_the_model_at_each_point(tmp_path):
    task = _task()
    run = _recorded(task, tmp_path / "run")
    found = predictions(task, run)
    assert (found.shape, found.dtype) == ((4, 40, 3), np.float32)
    np.testing.assert_allclose(np.exp(found).sum(axis=2), 1, rtol=1e-5)
    x = torch.cat([x for x, _ in task.test])
    for point in range(4):
        np.testing.assert_allclose(found[point], _expected(task, run.snapshot(point), x), atol=1e-6)
    np.testing.assert_array_equal(predictions(task, run, points=[-1, 1]), found[[3, 1]])
    np.testing.assert_array_equal(predictions(task, [run.snapshot(2)]), found[[2]])


def test_the_model_and_chance_are_as_they_were(tmp_path):
    task = _task()
    run = _recorded(task, tmp_path / "run")
    task.model.train()
    task.model[3].eval()
    before = {name: tensor.clone() for name, tensor in task.model.state_dict().items()}
    chance = torch.get_rng_state()
    predictions(task, run)
    activations(task, run, "2")
    assert torch.equal(chance, torch.get_rng_state())
    assert [module.training for module in task.model.modules()] == [True, True, True, True, False, True]
    assert all(torch.equal(before[name], tensor) for name, tensor in task.model.state_dict().items())
    assert not any(module._forward_hooks for module in task.model.modules())


def test_a_few_batches_are_the_same_for_all(tmp_path):
    task = _task()
    run = _recorded(task, tmp_path / "run")
    whole = predictions(task, run)
    few = predictions(task, run, batches=2, seed=3)
    assert few.shape[1] in (14, 12)
    places = [int(np.flatnonzero((whole[0] == row).all(axis=1))[0]) for row in few[0]]
    np.testing.assert_array_equal(few, whole[:, places])
    assert predictions(task, run, data="train").shape == (4, 40, 3)
    told = []
    predictions(task, run, progress=lambda done, of: told.append((done, of)))
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_networks_of_other_widths_are_compared_and_those_with_units_in_another_order_are_the_same(tmp_path):
    small, large = _task(6), _task(11)
    runs = _recorded(small, tmp_path / "small"), _recorded(large, tmp_path / "large")
    said = [predictions(task, run) for task, run in zip((small, large), runs, strict=True)]
    assert prediction_distances(said).shape == (8, 8)
    order = torch.randperm(6, generator=torch.Generator().manual_seed(1))
    last = {name: torch.as_tensor(value) for name, value in runs[0].snapshot(-1).items()}
    swapped = {name: value[order] if value.shape[:1] == (6,) else value for name, value in last.items()}
    swapped["4.weight"] = last["4.weight"][:, order]
    assert prediction_distances(predictions(small, [last, swapped])).max() < 1e-12


def test_classes_may_stand_along_another_axis():
    class Tagger(nn.Module):
        def __init__(self, axis):
            super().__init__()
            self.line, self.axis = nn.Linear(5, 8), axis

        def forward(self, x):
            scores = self.line(x).reshape(-1, 4, 2)  # places, classes
            return scores if self.axis == -1 else scores.transpose(1, 2)

    torch.random.manual_seed(0)
    weights = nn.Linear(5, 8).state_dict()
    start = {f"line.{name}": value for name, value in weights.items()}
    found = []
    for axis in (1, -1):
        model = Tagger(axis)
        x = torch.randn(6, 5, generator=torch.Generator().manual_seed(2))
        task = Task(model, lambda output, _: output.square().mean(), [(x, x)], [(x, x)], lambda p: torch.optim.SGD(p, lr=0.1))
        found.append(predictions(task, [start], axis=axis))
    assert found[0].shape == (1, 24, 2)
    np.testing.assert_array_equal(*found)


def test_activations_are_what_a_layer_gives(tmp_path):
    task = _task()
    run = _recorded(task, tmp_path / "run")
    found = activations(task, run, "2", points=[1, 3])
    assert (found.shape, found.dtype) == ((2, 40, 6), np.float32)
    x = torch.cat([x for x, _ in task.test])
    _expected(task, run.snapshot(3), x)
    with torch.no_grad():
        np.testing.assert_allclose(found[1], task.model[:3](x).numpy(), atol=1e-6)


def test_refusals(tmp_path, refuses):
    task = _task()
    run = _recorded(task, tmp_path / "run", steps=1)
    with refuses("points must be among the 2 that there are, but 2 came; name some of them"):
        predictions(task, run, points=[2])
    with refuses("points must be among the 2 that there are, but none came; name some of them"):
        predictions(task, run, points=[])
    with refuses("batches must be 1 or more, but is 0; leave it out for all"):
        predictions(task, run, batches=0)
    with refuses("the model has no layer '9'; it has 0, 1, 2, 3, 4"):
        activations(task, run, "9")
    one = Task(nn.Linear(5, 1), lambda output, _: output.mean() ** 2, task.train, task.test, lambda p: torch.optim.SGD(p, lr=0.1))
    with refuses(r"predictions need a score for each class along axis 1 of the output, but it is \(7, 1\); name their axis"):
        predictions(one, [one.model.state_dict()])
    with refuses(r"predictions need a score for each class along axis 5 of the output, but it is \(7, 3\); name their axis"):
        predictions(task, run, axis=5)
    lost = {name: tensor * torch.nan for name, tensor in one.model.state_dict().items()}
    with refuses("tensor 'weight' of the point 0 holds NaN or infinite values"):
        predictions(one, [lost])


def test_a_point_that_diverged_predicts_nothing_and_is_named(tmp_path, refuses):
    task = _task()
    with Recorder(tmp_path / "run", task.model) as recorder:
        nn.init.constant_(task.model[0].weight, torch.nan)
        recorder.step()
    run = open_run(tmp_path / "run")
    with refuses(r"run 'run', point 1 \(step 1\) has weights that are NaN or infinite, and predicts nothing; name the others by"):
        predictions(task, run)
    assert len(predictions(task, run, points=[0])) == 1


@pytest.mark.usefixtures("as_users_call")
def test_data_are_of_training_or_test(refuses):
    task = _task()
    with refuses("data must be 'train' or 'test', but is 'validation'; choose one of these"):
        predictions(task, [task.model.state_dict()], data="validation")
