"""Tensors read where they lie in a mapped file, without the file staying in memory."""

import ctypes
import mmap
import sys

import torch

_DONTNEED = 4  # of Linux: pages of a mapped file that were not written to are read again when they are asked for again


class Mapped:
    """Reads the tensors of one mapped file, and lets the system take back the pages of each when the next is asked for."""

    def __init__(self) -> None:
        self._last: torch.Tensor | None = None

    def read(self, tensor: torch.Tensor) -> memoryview:
        """Return the bytes of a tensor: the file's own, which stay valid, or a copy where they are out of order."""
        if self._last is not None:
            _release(self._last)
        self._last = tensor
        return tensor.detach().reshape(-1).view(torch.uint8).numpy().data


def _release(tensor: torch.Tensor) -> None:
    if sys.platform != "linux":
        return
    storage = tensor.untyped_storage()
    # Whole pages alone: what shares a page with other tensors stays.
    start = -(-storage.data_ptr() // mmap.PAGESIZE) * mmap.PAGESIZE
    end = (storage.data_ptr() + storage.nbytes()) // mmap.PAGESIZE * mmap.PAGESIZE
    if end > start:
        ctypes.CDLL(None).madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _DONTNEED)
