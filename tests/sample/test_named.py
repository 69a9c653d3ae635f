"""A task by its name, and what a person is told when the name leads nowhere."""

import sys

import pytest

from lossatlas.sample import named_task, on_device

_OWN = """
import helper_beside
def task():
    return helper_beside.make()
def other():
    return 3
def fails():
    raise LookupError("no such data")
number = 4
"""
_BESIDE = """
import torch, lossatlas as la
def make():
    data = [(torch.ones(2, 1), torch.ones(2, 1))]
    return la.Task(torch.nn.Linear(1, 1), torch.nn.functional.mse_loss, data, data, torch.optim.Adam, name="own")
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "own_file.py").write_text(_OWN)
    (tmp_path / "helper_beside.py").write_text(_BESIDE)
    (tmp_path / "broken.py").write_text("x = 1\nraise ValueError('in the middle')\n")
    (tmp_path / "needs.py").write_text("import a_module_that_nobody_has\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in ("own_file", "helper_beside", "broken", "needs"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", ["own_file:task", "own_file.py:task", "{folder}/own_file.py:task"])
def test_a_module_or_a_file_gives_its_task(folder, name):
    assert named_task(name.format(folder=folder)).name == "own"


def test_what_leads_nowhere_is_named(refuses):
    for name, words in {
        "own_file": "TASK must be module:function, as in train:task or train.py:task, but is 'own_file'; name both",
        ":task": "TASK must be module:function",
        "own_file:a b": "TASK must be module:function",
        "nobody:task": "TASK 'nobody:task': there is no module 'nobody' in '.*'; check the name",
        "nobody.py:task": "TASK 'nobody.py:task': there is no file 'nobody.py'; check the path",
        "own_file:nothing": "own_file has no such function; name a function that returns",
        "own_file:number": "own_file has a int of that name; name a function",
        "own_file:other": r"other\(\) must return a lossatlas.Task, but returned a int; return one",
        "own_file:fails": r"fails\(\) failed \(own_file.py, line 8\): LookupError: no such data; run it by itself",
        "broken:task": r"importing broken failed \(broken.py, line 2\): ValueError: in the middle; mend it",
        "needs:task": "needs needs a module 'a_module_that_nobody_has', which is not installed; install it",
    }.items():
        with refuses(words):
            named_task(name)


def test_a_device_is_used_on_a_copy_and_an_unknown_one_refused(refuses):
    task = named_task("own_file:task")
    assert on_device(task, "") is task
    moved = on_device(task, "meta")
    assert next(moved.model.parameters()).is_meta
    assert not next(task.model.parameters()).is_meta
    with refuses("device 'quantum' cannot be used"):
        on_device(task, "quantum")
