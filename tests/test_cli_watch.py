"""``lossatlas watch`` as a person meets it."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest


@pytest.fixture
def begin(tmp_path):
    """Begin to watch; what goes on at the end is stopped."""
    # Who runs tests in the background of a shell makes them deaf to Ctrl-C, and so all that they begin.
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)
    begun = []

    def run(*options, until=""):
        environment = os.environ | {"XDG_STATE_HOME": str(tmp_path / "state"), "NO_COLOR": "1", "COLUMNS": "100"}
        command = [sys.executable, "-W", "error", "-m", "lossatlas", "watch", *map(str, options)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment
        )
        begun.append(process)
        said = ""
        while until and until not in said and (line := process.stdout.readline()):
            said += line
        return process, said

    yield run
    for process in begun:
        process.kill()
        process.communicate()
    signal.signal(signal.SIGINT, heard)


def test_watch_waits_for_runs_says_its_address_and_ends_cleanly(begin):
    process, said = begin("runs/*", "--no-browser", until="Ctrl-C")
    url = re.search(r"http://127\.0\.0\.1:\d+/[\w-]{43}/", said)[0]
    assert urllib.request.urlopen(url).status == 200
    process.send_signal(signal.SIGINT)
    rest, complained = process.communicate(timeout=20)
    assert process.returncode == 0
    assert rest == "stopped; the same command shows the same address again\n"
    assert complained == "no run is there yet; the page waits for it\n"
    # And it does.
    _, again = begin("runs/*", "--no-browser", until="Ctrl-C")
    assert url in again


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--gamma", "4"), "gamma"),
        (("--max-points", "3"), "max-points"),
        (("--interval", "0"), "interval"),
        (("--port", "99999"), "port"),
    ],
)
def test_bad_options_end_it_with_one_line(begin, options, words):
    process, _ = begin("runs", *options)
    said, complained = process.communicate(timeout=30)
    assert (process.returncode, said) == (2, "")
    assert words in complained
    assert complained.count("\n") == 1


def test_port_that_is_taken_ends_it_with_one_line(begin):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        process, _ = begin("runs", "--port", other.getsockname()[1])
        said, complained = process.communicate(timeout=30)
    assert (process.returncode, said) == (2, "")
    assert re.fullmatch(r"lossatlas: port \d+ is taken or not allowed; pass another, or 0 for any that is free\n", complained)


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ({}, False),
        ({"DISPLAY": ":0"}, True),
        ({"WAYLAND_DISPLAY": "w"}, True),
        ({"DISPLAY": ":0", "SSH_CONNECTION": "1 2 3 4"}, False),
    ],
)
def test_browser_is_opened_where_it_would_be_seen(monkeypatch, there, expected):
    from lossatlas.cli.watch import _has_screen

    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in there.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", "linux")
    assert _has_screen() is expected
