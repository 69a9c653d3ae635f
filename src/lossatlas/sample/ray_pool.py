"""A Ray cluster as an executor: fractions of GPUs, and work that is done again when its worker dies."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from lossatlas._arrays import InputError


class RayPool(Executor):
    """Workers of a Ray cluster; work lost with a killed worker or a lost machine is done again, at most ``retries`` times.

    The cluster is the one that the program is connected to (``ray.init(address=...)``), or the one that Ray finds, or else one
    that it starts on this machine. Work that raises is not tried again. Runs are written by the workers, so their folder must be
    on a disk that all machines share.

    Args:
        num_cpus: Processors that Ray sets aside for one piece of work; torch gets as many threads.
        num_gpus: GPUs likewise; a fraction lets several pieces share one. The task's model is taken to be on ``cuda``.
        retries: How often one piece of work may be lost before its future fails.

    Raises:
        InputError: Ray is not installed.
    """

    def __init__(self, *, num_cpus: float = 1.0, num_gpus: float = 0.0, retries: int = 2) -> None:
        try:
            import ray
        except ModuleNotFoundError:
            raise InputError("RayPool needs Ray, which is not installed; pip install 'lossatlas[ray]'") from None
        self._ray = ray
        self._began = not ray.is_initialized()
        if self._began:
            ray.init(include_dashboard=False, log_to_driver=False)
        options: dict[str, Any] = {"num_cpus": num_cpus, "num_gpus": num_gpus, "max_retries": retries, "retry_exceptions": False}
        self._do: Any = ray.remote(_done).options(**options)
        self._threads = max(1, int(num_cpus))
        self._references: dict[Future[Any], Any] = {}
        self._is_shut = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401 - as in Executor
        """Return the future of ``fn(*args, **kwargs)`` in a worker of the cluster."""
        if self._is_shut:
            raise RuntimeError("cannot schedule new futures after shutdown")
        reference = self._do.remote(self._threads, fn, args, kwargs)
        outer: Future[Any] = Future()
        self._references[outer] = reference
        outer.add_done_callback(self._forget)
        reference.future().add_done_callback(lambda inner: _settle(inner, outer))
        return outer

    def _forget(self, outer: Future[Any]) -> None:
        reference = self._references.pop(outer, None)
        if outer.cancelled() and reference is not None:
            self._ray.cancel(reference, force=True)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - as in Executor
        """Take no more work; end the cluster if this object began it."""
        self._is_shut = True
        left = list(self._references)
        if cancel_futures:
            for future in left:
                future.cancel()
        elif wait:
            for future in left:
                future.exception()
        if self._began and self._ray.is_initialized():
            self._ray.shutdown()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # After an error or Ctrl-C nobody waits for the rest.
        self.shutdown(wait=True, cancel_futures=kind is not None)


def _done(threads: int, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ANN401
    import torch  # here, so that the pool itself needs none

    torch.set_num_threads(threads)
    return fn(*args, **kwargs)


def _settle(inner: Future[Any], outer: Future[Any]) -> None:
    if not outer.set_running_or_notify_cancel():
        return
    error = inner.exception()
    if error is None:
        outer.set_result(inner.result())
    else:
        outer.set_exception(getattr(error, "cause", None) or error)  # Ray wraps what the work itself raised
