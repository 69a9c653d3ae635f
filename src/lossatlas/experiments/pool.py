"""Work that goes to processes in any order."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def results(function: Callable[[Given], Made], work: Sequence[Given], executor: Executor | None) -> Iterator[tuple[int, Made]]:
    """Yield the number and the result of each piece of work, as they come; without an executor here, in their order."""
    if executor is None:
        for number, item in enumerate(work):
            yield number, function(item)
        return
    futures = {executor.submit(function, item): number for number, item in enumerate(work)}
    try:
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BaseException:
        for future in futures:
            future.cancel()
        raise
