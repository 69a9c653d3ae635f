"""Where a page finds its server again."""

import json
import os
import socket
import stat

import pytest

from lossatlas.serve.address import kept_address


def the_file(folder):
    (file,) = (folder).iterdir()
    return file


def test_same_runs_have_the_same_address_and_others_another(tmp_path):
    first = kept_address(["runs/*"], folder=tmp_path / "a")
    assert kept_address(["runs/*"], folder=tmp_path / "a") == first
    assert kept_address(["others/*"], folder=tmp_path / "a") != first
    assert len(first.token) >= 43  # 32 bytes of chance
    assert first.url == f"http://127.0.0.1:{first.port}/{first.token}/"


def test_address_is_known_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = kept_address(["runs"], folder=tmp_path / "a")
    assert kept_address([str(tmp_path / "runs")], folder=tmp_path / "a") == first


def test_file_and_folder_are_the_users_own(tmp_path):
    before = os.umask(0)
    try:
        kept_address(["runs"], folder=tmp_path / "a")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
    assert stat.S_IMODE(the_file(tmp_path / "a").stat().st_mode) == 0o600


def test_file_that_others_can_read_is_not_trusted(tmp_path):
    first = kept_address(["runs"], folder=tmp_path / "a")
    the_file(tmp_path / "a").chmod(0o644)
    second = kept_address(["runs"], folder=tmp_path / "a")
    assert second.token != first.token
    assert stat.S_IMODE(the_file(tmp_path / "a").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "words",
    ["", "{", "[]", '{"port": 80}', '{"port": 99999, "token": "' + "a" * 43 + '"}', '{"port": 8123, "token": "../short"}'],
)
def test_file_that_says_nothing_is_written_anew(tmp_path, words):
    kept_address(["runs"], folder=tmp_path / "a")
    the_file(tmp_path / "a").write_text(words)
    address = kept_address(["runs"], folder=tmp_path / "a")
    assert json.loads(the_file(tmp_path / "a").read_text()) == {"port": address.port, "token": address.token}


def test_port_that_something_else_has_taken_changes_the_token_too(tmp_path):
    first = kept_address(["runs"], folder=tmp_path / "a")
    with socket.socket() as other:
        other.bind(("127.0.0.1", first.port))
        other.listen()
        second = kept_address(["runs"], folder=tmp_path / "a")
    assert second.port != first.port
    assert second.token != first.token


def test_port_that_is_asked_for_is_taken_or_refused(tmp_path, refuses):
    free = kept_address(["others"], folder=tmp_path / "a").port
    first = kept_address(["runs"], port=free, folder=tmp_path / "a")
    assert first.port == free
    assert kept_address(["runs"], port=free, folder=tmp_path / "a") == kept_address(["runs"], folder=tmp_path / "a") == first
    with socket.socket() as other:
        other.bind(("127.0.0.1", free))
        other.listen()
        with refuses(f"port {free} is taken or not allowed"):
            kept_address(["runs"], port=free, folder=tmp_path / "a")


def test_place_that_cannot_be_written_costs_only_the_next_start(tmp_path):
    (tmp_path / "file").write_text("")
    assert kept_address(["runs"], folder=tmp_path / "file" / "below").port
