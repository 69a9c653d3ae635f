"""The same network in evaluation mode with less to do: batch norm folded in, the first convolution a product."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional

from lossatlas.sample.evaluate import BatchNormLayer

# Values under a filter up to which the first convolution is faster as one product with the input's patches laid out once:
# layers with one or three channels leave most of a vectorised convolution idle.
_THIN = 32
# Bytes of laid-out patches that are kept while many points look at the same batches.
_KEPT = 256 << 20


class Fused:
    r"""A model's forward pass in evaluation mode, traced and rewritten; it reads the model's own tensors.

    With :math:`s = \gamma / \sqrt{\sigma^2 + \epsilon}` a layer and the batch norm after it are one layer,

    .. math:: s\,(W x + c - \mu) + \beta = (s W)\, x + s\,(c - \mu) + \beta.

    Args:
        model: In evaluation mode.

    Raises:
        Exception: the model cannot be traced, as one whose way depends on its values.
    """

    def __init__(self, model: nn.Module) -> None:
        self._graph = fx.symbolic_trace(model)
        modules = dict(self._graph.named_modules())
        self._layers: list[_Layer] = []
        for node in list(self._graph.graph.nodes):
            self._fold_norm(node, modules)
        for node in list(self._graph.graph.nodes):
            self._lay_out_first(node, modules)
        self._graph.graph.lint()
        self._graph.recompile()

    @property
    def is_worth_it(self) -> bool:
        """Whether anything was rewritten."""
        return bool(self._layers)

    def look_at(self, inputs: Sequence[object]) -> None:
        """Lay out the patches of inputs that many points will see."""
        for layer in self._layers:
            layer.look_at(inputs)

    def refold(self) -> None:
        """Take the model's tensors as they are now."""
        for layer in self._layers:
            layer.refold()

    def __call__(self, x: object) -> Any:  # noqa: ANN401 - whatever the model returns
        """Return the model's output."""
        return self._graph(x)

    def _fold_norm(self, node: fx.Node, modules: dict[str, nn.Module]) -> None:
        norm, before = _called(node, modules), node.args[0] if node.args else None
        if not isinstance(norm, BatchNormLayer) or norm.running_mean is None or not isinstance(before, fx.Node):
            return
        layer = _called(before, modules)
        if _is_plain(layer) and len(before.users) == 1:
            self._replace(node, _Layer(layer, norm), modules)
            node.args, node.kwargs = before.args, before.kwargs
            self._graph.graph.erase_node(before)

    def _lay_out_first(self, node: fx.Node, modules: dict[str, nn.Module]) -> None:
        if not node.args or not isinstance(node.args[0], fx.Node) or node.args[0].op != "placeholder":
            return
        found = _called(node, modules)
        layer = found if isinstance(found, _Layer) else _Layer(found, None) if _is_plain(found) else None
        if layer is not None and layer.is_thin:
            layer.is_first = True
            if layer is not found:
                self._replace(node, layer, modules)

    def _replace(self, node: fx.Node, layer: "_Layer", modules: dict[str, nn.Module]) -> None:
        name = f"_fused_{len(self._layers)}"
        self._graph.add_submodule(name, layer)
        modules[name] = layer
        node.target = name
        self._layers.append(layer)


class _Layer(nn.Module):
    """A convolution or a linear layer, with the batch norm after it if there is one."""

    def __init__(self, layer: Any, norm: BatchNormLayer | None) -> None:  # noqa: ANN401 - nn.Conv2d or nn.Linear
        super().__init__()
        self._own = layer, norm  # in a tuple, so that they are no parts of this one: they are the model's, and are moved there
        self.is_first = False
        self._patches: dict[int, torch.Tensor] = {}

    @property
    def is_thin(self) -> bool:
        layer = self._own[0]
        return isinstance(layer, nn.Conv2d) and layer.groups == 1 and layer.weight[0].numel() <= _THIN

    def look_at(self, inputs: Sequence[object]) -> None:
        self._patches = {}
        size = 0
        for x in inputs if self.is_first else ():
            if not isinstance(x, torch.Tensor) or x.dim() != 4:
                return
            size += x.nbytes * self._own[0].weight[0, 0].numel()
            if size > _KEPT:
                return
            layer = self._own[0]
            patches = functional.unfold(x, layer.kernel_size, layer.dilation, layer.padding, layer.stride)
            self._patches[id(x)] = patches.transpose(1, 2).reshape(-1, patches.shape[1]).contiguous()

    def refold(self) -> None:
        layer, norm = self._own
        weight, bias = layer.weight.detach(), layer.bias
        if norm is not None:
            assert norm.running_mean is not None
            assert norm.running_var is not None
            scale = torch.rsqrt(norm.running_var + norm.eps)
            if norm.weight is not None:
                scale = scale * norm.weight
            shift = -norm.running_mean if bias is None else bias - norm.running_mean
            weight = weight * scale.reshape(-1, *[1] * (weight.dim() - 1))
            bias = shift * scale if norm.bias is None else torch.addcmul(norm.bias, shift, scale)
        self._weight, self._bias = weight, bias
        if self._patches:
            self._product = weight.flatten(1).t()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        layer = self._own[0]
        if isinstance(layer, nn.Linear):
            return functional.linear(x, self._weight, self._bias)
        patches = self._patches.get(id(x))
        if patches is None:
            return functional.conv2d(x, self._weight, self._bias, layer.stride, layer.padding, layer.dilation, layer.groups)
        made = patches @ self._product if self._bias is None else torch.addmm(self._bias, patches, self._product)
        height, width = (
            (x.shape[2 + i] + 2 * layer.padding[i] - layer.dilation[i] * (layer.kernel_size[i] - 1) - 1) // layer.stride[i] + 1
            for i in (0, 1)
        )
        return made.view(len(x), height, width, -1).permute(0, 3, 1, 2)


def _called(node: fx.Node, modules: dict[str, nn.Module]) -> nn.Module | None:
    return modules.get(str(node.target)) if node.op == "call_module" else None


def _is_plain(layer: nn.Module | None) -> bool:
    """Whether this is exactly a layer that can be rewritten: what inherits from it may do something else, and so may a hook."""
    if layer is None or layer._forward_hooks or layer._forward_pre_hooks:
        return False
    padded = getattr(layer, "padding_mode", "zeros") == "zeros" and not isinstance(getattr(layer, "padding", 0), str)
    return type(layer) in (nn.Conv2d, nn.Linear) and padded
