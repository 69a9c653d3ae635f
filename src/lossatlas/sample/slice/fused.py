"""The same network in evaluation mode with less to do: layers that take the work of their neighbours."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional

from lossatlas.sample.evaluate import BatchNormLayer
from lossatlas.sample.slice.layers import FusedLayer

# Weights of a linear layer up to which it pays to reorder them at each point rather than the images at each batch.
_REORDERED = 1 << 16

_RELU = (functional.relu, torch.relu)


class Fused:
    """A model's forward pass in evaluation mode, traced and rewritten; it reads the model's own tensors.

    Batch norm is folded into the layer before it; a first convolution of few channels is a product with patches that are laid
    out once, and takes the greatest of each square of the max pooling behind it, before ReLU, which changes nothing; ReLU
    writes over what it is given; a linear layer reads images as convolutions leave them in memory.

    Args:
        model: In evaluation mode.

    Raises:
        Exception: the model cannot be traced, as one whose way depends on its values.
    """

    def __init__(self, model: nn.Module) -> None:
        self._graph = fx.symbolic_trace(model)
        self._modules = dict(self._graph.named_modules())
        self._layers: list[FusedLayer] = []
        for rewrite in (self._fold_norm, self._lay_out_first, self._take_pooling, self._take_flattening, self._write_over):
            for node in list(self._graph.graph.nodes):
                rewrite(node)
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

    def _fold_norm(self, node: fx.Node) -> None:
        norm, before = self._called(node), _input(node)
        if not isinstance(norm, BatchNormLayer) or norm.running_mean is None or before is None:
            return
        layer = self._called(before)
        if _is_plain(layer) and len(before.users) == 1:
            self._replace(node, FusedLayer(layer, norm))
            node.args, node.kwargs = before.args, before.kwargs
            self._graph.graph.erase_node(before)

    def _lay_out_first(self, node: fx.Node) -> None:
        before = _input(node)
        if before is None or before.op != "placeholder":
            return
        layer = self._fused(node)
        if layer is not None and layer.is_thin:
            layer.is_first = True
            if layer is not self._called(node):
                self._replace(node, layer)

    def _take_pooling(self, node: fx.Node) -> None:
        side, before = self._pooled(node), _input(node)
        if side is None or before is None:
            return
        source = _input(before) if self._is_relu(before) else before
        layer = self._called(source) if source is not None else None
        if source is not None and isinstance(layer, FusedLayer) and layer.is_first and _is_chain(source, node):
            layer.pool = side
            node.replace_all_uses_with(before)
            self._graph.graph.erase_node(node)

    def _take_flattening(self, node: fx.Node) -> None:
        before = _input(node)
        source = before
        while source is not None and (self._is_relu(source) or self._pooled(source)):
            source = _input(source)
        images = self._called(source) if source is not None else None
        next_node = next(iter(node.users), None)
        if before is None or next_node is None or len(node.users) > 1:
            return
        if not self._is_flattening(node) or not isinstance(images, FusedLayer) or not isinstance(images.layer, nn.Conv2d):
            return
        layer = self._fused(next_node)
        if layer is not None and isinstance(layer.layer, nn.Linear) and layer.layer.weight.numel() <= _REORDERED:
            layer.channels = images.layer.out_channels
            if layer is not self._called(next_node):
                self._replace(next_node, layer)
            node.replace_all_uses_with(before)
            self._graph.graph.erase_node(node)

    def _write_over(self, node: fx.Node) -> None:
        before = _input(node)
        if self._is_relu(node) and before is not None and len(before.users) == 1 and isinstance(self._called(before), FusedLayer):
            node.op, node.target, node.args, node.kwargs = "call_function", torch.relu_, (before,), {}

    def _replace(self, node: fx.Node, layer: FusedLayer) -> None:
        name = f"_fused_{len(self._layers)}"
        self._graph.add_submodule(name, layer)
        self._modules[name] = layer
        node.target = name
        self._layers.append(layer)

    def _called(self, node: fx.Node) -> nn.Module | None:
        return self._modules.get(str(node.target)) if node.op == "call_module" else None

    def _fused(self, node: fx.Node) -> FusedLayer | None:
        """Return the fused layer that a node calls, or a new one around its plain layer."""
        found = self._called(node)
        return found if isinstance(found, FusedLayer) else FusedLayer(found, None) if _is_plain(found) else None

    def _is_relu(self, node: fx.Node) -> bool:
        module = self._called(node)
        return (type(module) is nn.ReLU and not _has_hooks(module)) or _calls(node, _RELU, "relu")

    def _is_flattening(self, node: fx.Node) -> bool:
        module = self._called(node)
        if type(module) is nn.Flatten:
            return (module.start_dim, module.end_dim) == (1, -1) and not _has_hooks(module)
        return _calls(node, (torch.flatten,), "flatten") and (*node.args[1:], *node.kwargs.values()) == (1,)

    def _pooled(self, node: fx.Node) -> int | None:
        """Return the side of the squares of a max pooling that leaves none out and overlaps none."""
        module = self._called(node)
        names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
        if type(module) is nn.MaxPool2d and not _has_hooks(module):
            given = {name: getattr(module, name) for name in names}
        elif node.op == "call_function" and node.target is functional.max_pool2d:
            defaults = {"stride": None, "padding": 0, "dilation": 1, "ceil_mode": False, "return_indices": False}
            given = defaults | dict(zip(names, node.args[1:], strict=False)) | node.kwargs
        else:
            return None
        side = given.pop("kernel_size")
        side = side[0] if isinstance(side, tuple) and side[0] == side[1] else side
        usual = {"stride": (None, side, (side, side)), "padding": (0, (0, 0)), "dilation": (1, (1, 1))}
        is_usual = all(given[name] in usual.get(name, (False,)) for name in names[1:])
        return side if isinstance(side, int) and is_usual else None


def _input(node: fx.Node) -> fx.Node | None:
    return node.args[0] if node.args and isinstance(node.args[0], fx.Node) else None


def _is_chain(first: fx.Node, last: fx.Node) -> bool:
    """Whether what comes from ``first`` goes to ``last`` alone."""
    while first is not last:
        if len(first.users) != 1:
            return False
        first = next(iter(first.users))
    return True


def _calls(node: fx.Node, functions: Sequence[Callable[..., Any]], method: str) -> bool:
    return (node.op == "call_function" and node.target in functions) or (node.op == "call_method" and node.target == method)


def _is_plain(layer: nn.Module | None) -> bool:
    """Whether this is exactly a layer that can be rewritten: what inherits from it may do something else, and so may a hook."""
    if layer is None or _has_hooks(layer):
        return False
    padded = getattr(layer, "padding_mode", "zeros") == "zeros" and not isinstance(getattr(layer, "padding", 0), str)
    return type(layer) in (nn.Conv2d, nn.Linear) and padded


def _has_hooks(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks)
