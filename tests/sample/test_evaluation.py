"""Loss and accuracy are means over samples, and batch norm statistics those of the present weights."""

import math

import numpy as np
import pytest
import torch
from tasks_for_workers import batches, small_net, small_task
from torch import nn

from lossatlas.sample import evaluation, recompute_batchnorm


def test_loss_and_accuracy_are_means_over_samples_in_evaluation_mode():
    task = small_task(train_eval=batches(9, (1, 6, 2)))
    model = small_net(4)
    model.train()
    numbers = evaluation(task, model)
    model.eval()
    for name, data in (("train", task.train_eval), ("test", task.test)):
        x, y = (torch.cat(parts) for parts in zip(*data, strict=True))
        with torch.no_grad():
            output = model(x).double()
        losses = [-torch.log_softmax(row, 0)[label].item() for row, label in zip(output, y, strict=True)]
        # float32 networks and losses: half a dozen digits.
        np.testing.assert_allclose(numbers[f"{name}_loss"], np.mean(losses), rtol=1e-5)
        assert numbers[f"{name}_accuracy"] == np.mean([int(row.argmax()) == label for row, label in zip(output, y, strict=True)])
    assert list(numbers) == ["train_loss", "test_loss", "train_accuracy", "test_accuracy"]
    assert 0 < numbers["train_accuracy"] < 1 or 0 < numbers["test_accuracy"] < 1


def test_training_data_is_evaluated_as_it_is_trained_on_unless_said_otherwise():
    assert evaluation(small_task(), small_net(4)) == evaluation(small_task(train_eval=batches(2)), small_net(4))
    assert evaluation(small_task(), small_net(4)) != evaluation(small_task(train_eval=batches(7)), small_net(4))


@pytest.mark.parametrize("target", [torch.zeros(3), torch.zeros(3, 2, dtype=torch.long), 0.5], ids=["real", "pixels", "number"])
def test_targets_that_are_no_classes_have_no_accuracy(target):
    data = [(torch.randn(3, 2), target)]
    task = small_task(model=nn.Linear(2, 4), loss=lambda output, _: output.square().mean(), train=data, test=data)
    assert list(evaluation(task, task.model)) == ["train_loss", "test_loss"]


@pytest.mark.parametrize("shape", [(1,), (3, 2)], ids=["one logit", "classes in the second of three axes"])
def test_outputs_that_are_no_scores_of_classes_have_no_accuracy(shape):
    data = [(torch.randn(3, 2), torch.zeros(3, dtype=torch.long))]
    model = nn.Sequential(nn.Linear(2, math.prod(shape)), nn.Unflatten(1, shape))
    task = small_task(model=model, loss=lambda output, _: output.square().mean(), train=data, test=data)
    assert list(evaluation(task, model)) == ["train_loss", "test_loss"]


def test_data_without_a_sample_are_refused(refuses):
    empty = [(torch.zeros(0, 1, 4, 4), torch.zeros(0, dtype=torch.long))]
    with refuses("train_eval and test must hold samples to evaluate, but one holds none; pass at least one sample"):
        evaluation(small_task(test=empty), small_net(4))


def _modes(model: nn.Module) -> list[bool]:
    return [module.training for module in model.modules()]


def test_evaluation_gives_each_module_its_mode_back_also_after_an_error():
    model = small_net(4)
    model.train()
    model[1].eval()
    before = _modes(model)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    def loss(*_: object) -> torch.Tensor:
        assert not any(_modes(model))
        return torch.tensor(1.0) if calls.append(1) is None and len(calls) < 3 else fail()

    def fail() -> torch.Tensor:
        raise LookupError

    calls: list[int] = []
    evaluation(small_task(train=batches(2)[:1], test=batches(3)[:1], loss=loss), model)
    assert _modes(model) == before
    with pytest.raises(LookupError):
        evaluation(small_task(loss=loss), model)
    assert _modes(model) == before
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())


def test_recomputed_statistics_are_the_mean_of_those_of_the_batches():
    model, data = small_net(4), batches(2)
    weights = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    recompute_batchnorm(model, data)
    with torch.no_grad():
        inputs = [model[0](x).double() for x, _ in data]
    means = torch.stack([x.mean(dim=(0, 2, 3)) for x in inputs]).mean(dim=0)
    variances = torch.stack([x.var(dim=(0, 2, 3), unbiased=True) for x in inputs]).mean(dim=0)
    torch.testing.assert_close(model[1].running_mean.double(), means, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(model[1].running_var.double(), variances, rtol=1e-5, atol=1e-6)
    assert model[1].momentum == 0.1
    assert all(torch.equal(parameter, weights[name]) for name, parameter in model.named_parameters())


def test_recomputing_twice_gives_the_same_statistics_also_with_shuffled_data():
    x, y = (torch.cat(parts) for parts in zip(*batches(2), strict=True))
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=3, shuffle=True)
    first, second = small_net(4), small_net(4)
    recompute_batchnorm(first, data)
    recompute_batchnorm(second, data)
    assert torch.equal(first[1].running_var, second[1].running_var)


def test_recomputing_gives_each_module_its_mode_and_momentum_back_also_after_an_error():
    model = small_net(4)
    model.train()
    model[1].eval()
    before = _modes(model)
    recompute_batchnorm(model, batches(2))
    assert _modes(model) == before
    with pytest.raises(RuntimeError, match="channels"):
        recompute_batchnorm(model, [*batches(2)[:1], (torch.zeros(2, 5, 4, 4), torch.zeros(2))])
    assert _modes(model) == before
    assert model[1].momentum == 0.1
