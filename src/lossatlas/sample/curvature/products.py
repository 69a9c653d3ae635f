"""The Hessian's products with vectors, by curvlinops."""

import warnings
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import nn

from lossatlas._arrays import InputError
from lossatlas.sample.mean_loss import MeanLoss, as_numpy


class Products:
    """Products ``H v``, counted."""

    def __init__(self, curvlinops: ModuleType, loss: MeanLoss) -> None:
        self.curvlinops = curvlinops
        # The probe has looked at all that can change, which curvlinops would look at in passes of its own.
        self.operator = _operator_class(curvlinops)(
            loss.model, _Mean(loss.of_batch), loss.parameters, loss.batches, check_deterministic=False, num_data=loss.n
        )
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


def _operator_class(curvlinops: ModuleType) -> Any:  # noqa: ANN401
    class Hessian(curvlinops.HessianLinearOperator):  # type: ignore[misc,name-defined]
        """Many vectors at once as curvlinops has them, one alone as the gradient of the gradient's product with it.

        curvlinops differentiates forward over reverse under ``vmap``, which is the faster the more columns there are; on one it
        took 3 to 6 times as long for networks of some thousand weights. Layers without a forward derivative, such as group
        norm, go twice backwards always.
        """

        def _matmat_batch(self, X: Any, y: torch.Tensor, M: list[torch.Tensor]) -> list[torch.Tensor]:  # noqa: ANN401
            if M[0].shape[-1] > 1:
                try:
                    made: list[torch.Tensor] = super()._matmat_batch(X, y, M)
                except (NotImplementedError, RuntimeError):  # what is wrong with the model itself comes again below
                    pass
                else:
                    return made
            with torch.enable_grad():
                loss = self._loss_func(self._model_func(X), y)
                gradient = torch.autograd.grad(loss, self._params, create_graph=True, materialize_grads=True)
                columns = [self._curved(gradient, [part[..., i] for part in M]) for i in range(M[0].shape[-1])]
            return [torch.stack(parts, dim=-1) for parts in zip(*columns, strict=True)]

        def _curved(self, gradient: tuple[torch.Tensor, ...], vector: list[torch.Tensor]) -> list[torch.Tensor]:
            pairs = [(own, v) for own, v in zip(gradient, vector, strict=True) if own.requires_grad]
            if not pairs:  # the loss is linear in all
                return [torch.zeros_like(v) for v in vector]
            own, along = zip(*pairs, strict=True)
            return list(torch.autograd.grad(own, self._params, along, retain_graph=True, materialize_grads=True))

    return Hessian


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
