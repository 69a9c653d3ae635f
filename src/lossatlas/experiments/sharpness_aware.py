"""Sharpness-aware minimisation: Foret et al. 2021, around any optimiser."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import nn

from lossatlas._arrays import InputError

_LEAST = 1e-12  # a gradient of 0 leads nowhere, and must not be divided by


class SharpnessAware(torch.optim.Optimizer):
    r"""Steps by the gradient where the loss is nearly greatest within a ball around the weights (Foret et al. 2021, Algorithm 1).

    .. math:: \theta \leftarrow \text{step}\big(\theta, \nabla L(\theta + \epsilon)\big), \qquad
              \epsilon = \rho\, \frac{\nabla L(\theta)}{\lVert \nabla L(\theta) \rVert}

    A step evaluates the loss twice on the same batch, and so asks for a closure. Decay of the weights and momentum are the other
    optimiser's, and its state and groups are this one's: schedules and checkpoints see one optimiser. Batch norm counts both
    evaluations into its running statistics.

    Args:
        parameters: Those that are trained.
        base: ``base(parameters, **options) -> torch.optim.Optimizer``, which takes the step.
        rho: Radius of the ball; the norm is over all parameters together.
        options: Of the other optimiser, such as ``lr``.

    Raises:
        InputError: the radius is not a number from 0 on.

    >>> weight = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
    >>> optimizer = SharpnessAware([weight], torch.optim.SGD, rho=0.5, lr=0.1)
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = weight.square().sum() / 2
    ...     loss.backward()
    ...     return loss
    >>> float(optimizer.step(closure)), weight.data  # the gradient at (3.3, 4.4), a tenth of it
    (12.5, tensor([2.6700, 3.5600]))
    """

    def __init__(
        self,
        parameters: Iterable[Any],
        base: Callable[..., torch.optim.Optimizer],
        *,
        rho: float = 0.05,
        **options: Any,  # noqa: ANN401 - as the other optimiser takes them
    ) -> None:
        if not 0 <= rho < math.inf:
            raise InputError(f"rho must be a number from 0 on, but is {rho}; change it")
        self.base = base(parameters, **options)
        super().__init__(self.base.param_groups, {"rho": rho})
        self._share()

    def _share(self) -> None:
        self.param_groups, self.state = self.base.param_groups, self.base.state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Restore both optimisers."""
        self.base.load_state_dict(dict(state_dict))
        self._share()

    @torch.no_grad()
    def step(self, closure: Callable[[], torch.Tensor]) -> torch.Tensor:  # type: ignore[override]
        """Take one step, and return the loss where the weights were.

        Args:
            closure: Evaluates the loss with its gradient, from a gradient of zero.
        """
        evaluate = torch.enable_grad()(closure)
        loss = evaluate().detach()
        before = self._climb()
        evaluate()
        for parameter, own in before.items():
            parameter.copy_(own)
        self.base.step()
        return loss

    def _climb(self) -> dict[nn.Parameter, torch.Tensor]:
        """Move the weights to where the loss is nearly greatest, and return what they were."""
        moved = [(own, group["rho"]) for group in self.param_groups for own in group["params"] if own.grad is not None]
        norm = torch.stack([own.grad.norm() for own, _ in moved]).norm().clamp_min(_LEAST)
        before = {own: own.clone() for own, _ in moved}
        for own, rho in moved:
            own.add_(own.grad * (rho / norm))
        return before
