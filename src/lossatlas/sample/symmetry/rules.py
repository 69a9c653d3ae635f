"""What each operation of a traced graph says about axes: which it joins, which it pins, which it makes.

An operation without a rule pins all that it touches: its units are then left where they are, which is never wrong.
"""

from collections.abc import Callable, Sequence
from typing import Any

from lossatlas.sample.symmetry.axes import Atom, Axes, Axis, free, join, pin, pinned, regrouped, size

Rule = Callable[..., Any]
RULES: dict[str, Rule] = {}


def _rule(*names: str) -> Callable[[Rule], Rule]:
    def enter(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, rule))
        return rule

    return enter


def is_axes(value: object) -> bool:
    """Whether a value is the axes of a tensor, rather than a number or a list of them."""
    return isinstance(value, tuple) and all(
        isinstance(axis, tuple) and all(isinstance(atom, Atom) for atom in axis) for axis in value
    )


_UNARY = (
    "relu gelu silu mish tanh sigmoid elu celu selu leaky_relu hardtanh hardswish hardsigmoid softplus log_sigmoid_forward "
    "neg exp expm1 log log1p sqrt rsqrt reciprocal abs erf sin cos square sign clone detach alias contiguous _to_copy "
    "lift_fresh_copy clamp clamp_min clamp_max logical_not bitwise_not zeros_like ones_like full_like isnan nan_to_num "
    "_softmax _log_softmax _safe_softmax fill"
)
_ELEMENTWISE = (
    "add sub mul div rsub maximum minimum where pow eq ne lt le gt ge masked_fill logical_and logical_or bitwise_and bitwise_or "
    "addcmul addcdiv lerp remainder fmod _prelu_kernel"
)


@_rule(*_UNARY.split())
def _same(x: Axes, *_: object, **__: object) -> Axes:
    return x


@_rule(*_ELEMENTWISE.split())
def _elementwise(*given: object, **_: object) -> Axes:
    tensors: list[Axes] = [value for value in given if is_axes(value)]  # type: ignore[misc]
    made: list[Axis] = []
    for place in range(1, max(map(len, tensors)) + 1):
        here = [axes[-place] for axes in tensors if len(axes) >= place]
        wide = [axis for axis in here if size(axis) > 1]
        for other in wide[1:]:
            join(wide[0], other)
        made.append(wide[0] if wide else here[0])
    return tuple(reversed(made))


@_rule("mean", "sum", "amax", "amin", "var", "std", "prod", "any", "all", "logsumexp")
def _reduce(x: Axes, dims: Any = None, *_: object, shape: Sequence[int], **__: object) -> Axes:  # noqa: ANN401
    """Drop axes; a sum over units does not ask for their order."""
    reduced = range(len(x)) if dims is None else [dims] if isinstance(dims, int) else dims
    places = {dim % len(x) for dim in reduced} if len(x) else set()
    is_kept = len(shape) == len(x)
    return tuple((() if place in places else axis) for place, axis in enumerate(x) if is_kept or place not in places)


@_rule("t")
def _t(x: Axes, **_: object) -> Axes:
    return x[::-1]


@_rule("transpose")
def _transpose(x: Axes, a: int, b: int, **_: object) -> Axes:
    order = list(x)
    order[a], order[b] = order[b], order[a]
    return tuple(order)


@_rule("permute")
def _permute(x: Axes, order: Sequence[int], **_: object) -> Axes:
    return tuple(x[place] for place in order)


@_rule("view", "_unsafe_view", "reshape", "_reshape_alias", "squeeze", "unsqueeze", "flatten", "unflatten")
def _view(x: Axes, *_: object, shape: Sequence[int], **__: object) -> Axes:
    return regrouped(x, shape)


@_rule("expand")
def _expand(x: Axes, *_: object, shape: Sequence[int], **__: object) -> Axes:
    padded = ((),) * (len(shape) - len(x)) + x
    # What is repeated is the same in every place, in whatever order.
    return tuple(axis if size(axis) == n else free([n])[0] for axis, n in zip(padded, shape, strict=True))


@_rule("select")
def _select(x: Axes, dim: int, *_: object, **__: object) -> Axes:
    pin(x[dim])
    return tuple(axis for place, axis in enumerate(x) if place != dim % len(x))


@_rule("unbind")
def _unbind(x: Axes, dim: int = 0, **_: object) -> list[Axes]:
    return [_select(x, dim)] * size(x[dim])


@_rule("slice")
def _slice(x: Axes, dim: int = 0, *_: object, shape: Sequence[int], **__: object) -> Axes:
    if size(x[dim]) == shape[dim]:
        return x
    pin(x[dim])
    return tuple(pinned(shape[place : place + 1])[0] if place == dim % len(x) else axis for place, axis in enumerate(x))


@_rule("split", "split_with_sizes", "chunk")
def _split(x: Axes, parts: Any, dim: int = 0, *, shape: list[Sequence[int]], **_: object) -> list[Axes]:  # noqa: ANN401, ARG001
    """Split an axis into equal parts as (part, unit), the parts pinned; unequal ones pin all of it."""
    sizes = {part[dim] for part in shape}
    if len(sizes) == 1:
        whole = [size(axis) for axis in x]
        place = dim % len(x)
        inside = regrouped(x, [*whole[:place], len(shape), sizes.pop(), *whole[place + 1 :]])
        return [_select(inside, place)] * len(shape)
    pin(x[dim])
    return [tuple(pinned([part[place]])[0] if place == dim % len(x) else axis for place, axis in enumerate(x)) for part in shape]


@_rule("cat")
def _cat(tensors: Sequence[Axes], dim: int = 0, *, shape: Sequence[int], **_: object) -> Axes:
    place = dim % len(shape)
    for axes in tensors:
        pin(axes[place])
    others = [tuple(axis if p != place else () for p, axis in enumerate(axes)) for axes in tensors if len(axes) == len(shape)]
    joined = _elementwise(*others)
    return tuple(pinned([shape[place]])[0] if p == place else axis for p, axis in enumerate(joined))


@_rule("stack")
def _stack(tensors: Sequence[Axes], dim: int = 0, *, shape: Sequence[int], **_: object) -> Axes:
    joined, place = _elementwise(*tensors), dim % len(shape)
    return (*joined[:place], pinned([shape[place]])[0], *joined[place:])


@_rule("mm", "bmm")
def _matmul(a: Axes, b: Axes, **_: object) -> Axes:
    join(a[-1], b[-2])
    for one, other in zip(a[:-2], b[:-2], strict=True):
        join(one, other)
    return (*a[:-1], b[-1])


@_rule("mv")
def _mv(a: Axes, b: Axes, **_: object) -> Axes:
    join(a[1], b[0])
    return a[:1]


@_rule("addmm", "baddbmm")
def _addmm(bias: Axes, a: Axes, b: Axes, **_: object) -> Axes:
    return _elementwise(_matmul(a, b), bias)


@_rule("linear")
def _linear(x: Axes, weight: Axes, bias: Axes | None = None, **_: object) -> Axes:
    join(x[-1], weight[1])
    if bias is not None:
        join(weight[0], bias[0])
    return (*x[:-1], weight[0])


@_rule("convolution")
def _convolution(x: Axes, weight: Axes, bias: Axes | None, *more: Any, shape: Sequence[int], **_: object) -> Axes:  # noqa: ANN401
    is_transposed, groups = more[3], more[5]
    inputs, outputs = (weight[0], weight[1]) if is_transposed else (weight[1], weight[0])
    for axis in (*x[2:], *weight[2:]):
        pin(axis)
    if groups == 1:
        join(x[1], inputs)
    elif size(x[1]) == size(outputs) == groups:  # a filter a channel
        join(x[1], outputs)
    else:
        pin(x[1])
        pin(outputs)
        pin(inputs)
    channels = outputs if size(outputs) == shape[1] else pinned([shape[1]])[0]
    if bias is not None:
        join(channels, bias[0])
    return (x[0], channels, *pinned(shape[2:]))


@_rule("native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training", "cudnn_batch_norm")
def _batch_norm(x: Axes, *given: object, **_: object) -> list[Axes]:
    for value in given:
        if is_axes(value) and len(value) == 1:  # type: ignore[arg-type]
            join(x[1], value[0])  # type: ignore[index]
    return [x, (), ()]


@_rule("native_layer_norm")
def _layer_norm(
    x: Axes, normalized: Sequence[int], weight: Axes | None, bias: Axes | None, *_: object, **__: object
) -> list[Axes]:
    for given in (weight, bias):
        for own, axis in zip(given or (), x[-len(normalized) :], strict=False):
            join(axis, own)
    return [x, (), ()]


@_rule("rms_norm", "_fused_rms_norm")
def _rms_norm(x: Axes, normalized: Sequence[int], weight: Axes | None = None, *_: object, **__: object) -> list[Axes]:
    return _layer_norm(x, normalized, weight, None)


@_rule("embedding")
def _embedding(weight: Axes, indices: Axes, *_: object, **__: object) -> Axes:
    pin(weight[0])
    return (*indices, weight[1])


@_rule(
    *("max_pool2d_with_indices", "max_pool3d_with_indices", "avg_pool1d", "avg_pool2d", "avg_pool3d", "constant_pad_nd"),
    *("_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_max_pool2d", "reflection_pad2d", "replication_pad2d"),
    *("upsample_nearest2d", "upsample_bilinear2d"),
)
def _spatial(x: Axes, *_: object, shape: Any, **__: object) -> Any:  # noqa: ANN401
    """Keep the axes that keep their size, samples and channels; places in an image are pinned."""
    shapes = shape if isinstance(shape, list) else [shape]
    for axis in x[2:]:
        pin(axis)
    made = [
        tuple(axis if p < 2 and size(axis) == n else pinned([n])[0] for p, (axis, n) in enumerate(zip(x, one, strict=True)))
        for one in shapes
    ]
    for one in shapes:
        for axis, n in zip(x[:2], one[:2], strict=True):
            if size(axis) != n:
                pin(axis)
    return made if isinstance(shape, list) else made[0]


@_rule(
    "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_flash_attention",
    "_scaled_dot_product_efficient_attention",
    "_scaled_dot_product_cudnn_attention",
    "_scaled_dot_product_attention_math",
)
def _attention(q: Axes, k: Axes, v: Axes, *given: object, shape: list[Sequence[int]], **named: object) -> list[Axes]:
    for axis in (q[-2], k[-2], v[-2]):
        pin(axis)
    join(q[-1], k[-1])
    for other in (k, v):
        for one, two in zip(q[:-2], other[:-2], strict=True):
            join(one, two)
    for mask in (*given, *named.values()):
        if is_axes(mask):
            for axis in mask:  # type: ignore[attr-defined]
                pin(axis)
    out = (*q[:-1], v[-1])
    return [out, *(pinned(part) for part in shape[1:])]


def unknown(given: Sequence[object], shape: Any) -> Any:  # noqa: ANN401 - one tensor's axes, or a list of them
    """Pin all axes that come in, and return pinned ones."""
    for value in given:
        if is_axes(value):
            for axis in value:  # type: ignore[attr-defined]
                pin(axis)
        elif isinstance(value, (list, tuple)):
            unknown(value, ())
    return [pinned(part) for part in shape] if isinstance(shape, list) else pinned(shape)
