"""A network whose products are made in half the digits."""

import torch
from torch import nn


class MixedPrecision(nn.Module):
    """A network that computes in bfloat16 where torch holds that safe; weights, and what comes out, stay float32.

    It is part of the network, so that whoever trains, retrains or evaluates it does as it did. bfloat16 has the exponents of
    float32: no loss has to be scaled.

    Args:
        inner: The network.
    """

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what the network says, in float32."""
        with torch.autocast(x.device.type, dtype=torch.bfloat16):
            said: torch.Tensor = self.inner(x)
        return said.float()
