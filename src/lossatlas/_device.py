"""Where matrices are multiplied: NumPy on the CPU, or torch on a device of its own."""

from typing import Any, TypeAlias

import numpy as np

from lossatlas._arrays import Array, InputError

Namespace: TypeAlias = Any  # a module with the functions of the array standard


def namespace(device: str) -> tuple[Namespace, str]:
    """Return the array namespace and the device for a name: ``"cpu"`` is NumPy's, any other torch's.

    Raises:
        InputError: torch is not installed, or knows no such device, or the device is not there.
    """
    if device == "cpu":
        import array_api_compat.numpy as numpy_namespace  # noqa: PLC0415 - beside its sister, which is loaded on demand

        return numpy_namespace, "cpu"
    try:
        import array_api_compat.torch as torch_namespace  # noqa: PLC0415 - torch takes seconds, and may not be there
    except ImportError as error:
        raise InputError(f"device {device!r} needs torch, which is not installed; pass device='cpu', or install torch") from error
    try:
        torch_namespace.zeros(1, device=torch_namespace.device(device), dtype=torch_namespace.float64)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise InputError(
            f"device {device!r} is not there, or has no float64 ({_first_line(error)}); pass device='cpu'"
        ) from error
    return torch_namespace, device


def to_numpy(array: Array) -> np.ndarray:
    """Return an array of any device as NumPy's."""
    return np.asarray(array.cpu() if hasattr(array, "cpu") else array)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
