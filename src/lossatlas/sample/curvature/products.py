"""The Hessian's products with vectors, by curvlinops."""

import warnings
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import nn

from lossatlas._arrays import InputError
from lossatlas.sample.batches import SameBatches
from lossatlas.sample.mean_loss import as_numpy, trained_parameters
from lossatlas.sample.task import Task, batch_on_device, batch_size


class Products:
    """Products ``H v``, counted."""

    def __init__(self, curvlinops: ModuleType, task: Task, model: nn.Module, data: SameBatches) -> None:
        self.curvlinops = curvlinops
        model.eval()
        moved = [batch_on_device(batch, model) for batch in data] if data.is_kept else data
        given = (model, _Mean(task.loss), list(trained_parameters(model).values()))
        kind = _operator_class(curvlinops, given, batch_on_device(next(iter(data)), model))
        # The probe has looked at all that can change.
        self.operator = kind(*given, moved, check_deterministic=False, num_data=sum(batch_size(batch) for batch in data))
        self.n: int = self.operator.shape[0]
        self.dtype, self.device = self.operator.dtype, self.operator.device
        self.n_products = 0

    def times_numpy(self, vector: np.ndarray) -> np.ndarray:
        """Return ``H v``."""
        return as_numpy(self.times(torch.as_tensor(vector.reshape(-1), dtype=self.dtype, device=self.device)))

    def times(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return ``H v``, or ``H V`` for the columns of a matrix.

        Raises:
            InputError: the product is not finite.
        """
        self.n_products += vectors.shape[1] if vectors.dim() == 2 else 1
        product: torch.Tensor = self.operator @ vectors
        if not torch.isfinite(product).all():
            raise InputError("the Hessian at the point holds NaN or infinite values; measure at a point that has not diverged")
        return product


class _Mean(nn.Module):
    """The user's loss with the attribute by which curvlinops knows that it is a mean."""

    reduction = "mean"

    def __init__(self, loss: Any) -> None:  # noqa: ANN401 - as the task has it
        super().__init__()
        self._loss = loss

    def forward(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        loss: torch.Tensor = self._loss(output, target)
        return loss


def _operator_class(curvlinops: ModuleType, given: tuple[Any, ...], batch: Any) -> Any:  # noqa: ANN401
    """Return curvlinops' own operator, or one that goes twice backwards where a layer has no forward derivative (group norm)."""
    one = curvlinops.HessianLinearOperator(*given, [batch], check_deterministic=False, num_data=batch_size(batch))
    try:
        one @ torch.zeros(one.shape[0], dtype=one.dtype, device=one.device)
    except (NotImplementedError, RuntimeError):  # what is wrong with the model itself comes again, and is raised, below
        return _twice_backwards(curvlinops)
    return curvlinops.HessianLinearOperator


def _twice_backwards(curvlinops: ModuleType) -> Any:  # noqa: ANN401
    class TwiceBackwards(curvlinops.HessianLinearOperator):  # type: ignore[misc,name-defined]
        """The product with each vector is the gradient of the gradient's product with it."""

        def _matmat_batch(self, X: Any, y: torch.Tensor, M: list[torch.Tensor]) -> list[torch.Tensor]:  # noqa: ANN401
            with torch.enable_grad():
                loss = self._loss_func(self._model_func(X), y)
                gradient = torch.autograd.grad(loss, self._params, create_graph=True, materialize_grads=True)
                columns = [
                    torch.autograd.grad(
                        gradient, self._params, [part[..., i] for part in M], retain_graph=True, materialize_grads=True
                    )
                    for i in range(M[0].shape[-1])
                ]
            return [torch.stack(parts, dim=-1).detach() for parts in zip(*columns, strict=True)]

    return TwiceBackwards


def curvlinops_package() -> ModuleType:
    """Return curvlinops.

    Raises:
        InputError: it is not installed.
    """
    try:
        with warnings.catch_warnings():
            # What it imports, and what torch loads for the first forward derivative, use torch.jit.script.
            warnings.simplefilter("ignore", DeprecationWarning)
            import curvlinops

            torch.func.jvp(torch.sin, (torch.zeros(1),), (torch.zeros(1),))
    except ImportError as error:
        raise InputError(f"curvature needs curvlinops ({error}); install it with: pip install 'lossatlas[curvature]'") from None
    return curvlinops
