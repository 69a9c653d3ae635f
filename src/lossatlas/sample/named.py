"""A task by its name, as a command line has it: ``module:function``."""

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from lossatlas._arrays import InputError
from lossatlas.sample.task import Task


def named_task(name: str) -> Task:
    """Return what the function ``module:function`` or ``path/to/file.py:function`` returns.

    The module is looked for in the folder where the command runs, and wherever Python looks. It is the user's own code, and is
    executed.

    Raises:
        InputError: there is no such module or function, it fails, or it returns something else than a Task.
    """
    where, colon, function = name.rpartition(":")
    if not colon or not where or not function.isidentifier():
        raise InputError(f"TASK must be module:function, as in train:task or train.py:task, but is {name!r}; name both")
    make = getattr(_module(where, name), function, None)
    if not callable(make):
        what = "has no such function" if make is None else f"has a {type(make).__name__} of that name"
        raise InputError(f"TASK {name!r}: {where} {what}; name a function that returns lossatlas.Task(…)")
    try:
        task = make()
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"TASK {name!r}: {function}() failed{_place(error)}: {_said(error)}; run it by itself to see more"
        ) from error
    if not isinstance(task, Task):
        raise InputError(
            f"TASK {name!r}: {function}() must return a lossatlas.Task, but returned a {type(task).__name__}; return one"
        )
    return task


def _module(where: str, name: str) -> ModuleType:
    is_file = where.endswith(".py")
    if is_file and not Path(where).is_file():
        raise InputError(f"TASK {name!r}: there is no file {where!r}; check the path")
    folder = str(Path(where).resolve().parent if is_file else Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)  # what the module imports from beside itself is found, in other processes too
    module = Path(where).stem if is_file else where
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and module.split(".")[0] == error.name.split(".")[0]:
            raise InputError(
                f"TASK {name!r}: there is no module {module!r} in {folder!r}; check the name and the folder"
            ) from None
        raise InputError(f"TASK {name!r}: {module} needs a module {error.name!r}, which is not installed; install it") from None
    except Exception as error:
        raise InputError(f"TASK {name!r}: importing {module} failed{_place(error)}: {_said(error)}; mend it") from error


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(__file__).name != Path(frame.filename).name and "importlib" not in frame.filename]
    return f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
