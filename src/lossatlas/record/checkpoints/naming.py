"""What belongs to a model in a state dict, and under which name."""

import re
from collections.abc import Iterable, Mapping

# What wrappers put before every name: DataParallel and its like, torch.compile, averaged models.
_WRAPPERS = ("module.", "_orig_mod.", "_forward_module.", "_fsdp_wrapped_module.")
_BUFFERS = re.compile(r"(.*\.)?(running_mean|running_var|num_batches_tracked|n_averaged)")


def own_names(names: Iterable[str]) -> dict[str, str]:
    """Return the model's own name for each name of a state dict, without what wrappers put before all of them.

    >>> own_names(["module._orig_mod.fc.weight", "module._orig_mod.fc.bias"])
    {'module._orig_mod.fc.weight': 'fc.weight', 'module._orig_mod.fc.bias': 'fc.bias'}
    """
    own = {name: name for name in names if name != "n_averaged"}  # the count of an averaged model stands beside it
    stripped = True
    while stripped and own:
        stripped = False
        for prefix in _WRAPPERS:
            if all(name.startswith(prefix) for name in own.values()):
                own = {key: name.removeprefix(prefix) for key, name in own.items()}
                stripped = True
    # torch.compile of a part, FSDP of some layers: the word stands within the names.
    return {key: name.replace("_orig_mod.", "").replace("_fsdp_wrapped_module.", "") for key, name in own.items()}


def is_buffer(name: str, dtype: str) -> bool:
    """Whether a tensor is none that is trained: statistics of batch norm, and whatever holds no real numbers."""
    return _BUFFERS.fullmatch(name) is not None or not dtype.startswith(("F", "BF"))


def state_dict_in(content: Mapping[str, object], *, ema: bool) -> Mapping[str, object] | None:
    """Return the part of a checkpoint that is a model's state dict: itself, or what stands under a usual name."""
    usual = ("state_dict", "model_state_dict", "model", "module", "net", "network", "params", "weights")
    averaged = ("ema_state_dict", "ema", "model_ema", "state_dict_ema", "ema_model", "params_ema")
    for name in averaged if ema else usual:
        part = content.get(name)
        if isinstance(part, Mapping) and any(hasattr(value, "dtype") for value in part.values()):
            return part
    is_plain = any(hasattr(value, "dtype") for value in content.values())
    return content if is_plain and not ema else None
