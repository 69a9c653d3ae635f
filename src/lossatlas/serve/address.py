"""Where a page finds its server again: a port and a token that outlive it.

They are kept in a file of the user's own (mode 0600, in the folder that XDG names for state), one for each set of runs. The same
command so gives the same address, and a page that was left open goes on after a restart, with nothing to remember. There is no
option for the token: what stands on a command line is read by every user of the machine. Nor does it lie beside the runs, whose
folder may be shared.
"""

import hashlib
import json
import os
import re
import secrets
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lossatlas._arrays import InputError

HOST = "127.0.0.1"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,}")


@dataclass(frozen=True)
class Address:
    """Where a server listens, and the word that a page must know."""

    port: int
    token: str

    @property
    def url(self) -> str:
        """What the browser opens."""
        return f"http://{HOST}:{self.port}/{self.token}/"


def kept_address(runs: Sequence[str], *, port: int = 0, folder: Path | None = None) -> Address:
    """Return the address for these runs: that of the last time, where its port is free, or a new one, which is kept.

    A port that something else has taken may have heard the token from a page that asked there: then both are new. What has let go
    of the port again is not noticed.

    Args:
        runs: As on the command line.
        port: Which one to take; 0 for that of the last time, or any that is free.
        folder: Where addresses are kept; by default ``lossatlas`` in ``$XDG_STATE_HOME``, or in ``~/.local/state``.

    Raises:
        InputError: the port that is asked for is taken or not allowed.
    """
    file = (folder or _state()) / _file_name(runs)
    known = _read(file)
    if port:
        if not _is_free(port):
            raise InputError(f"port {port} is taken or not allowed; pass another, or 0 for any that is free")
        address = Address(port, known.token if known and known.port == port else secrets.token_urlsafe(32))
    elif known and _is_free(known.port):
        address = known
    else:
        address = Address(_free_port(), secrets.token_urlsafe(32))
    if address != known:
        with suppress(OSError):  # the page works all the same, up to the next restart
            _write(file, address)
    return address


def _state() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "lossatlas"


def _file_name(runs: Sequence[str]) -> str:
    words = "\0".join(sorted(str(Path(run).absolute()) for run in runs))
    return f"watch-{hashlib.sha256(os.fsencode(words)).hexdigest()[:16]}.json"


def _read(file: Path) -> Address | None:
    """Return what was kept, if it is well-formed and nobody else can have read or written it."""
    try:
        with file.open("rb") as stream:
            state = os.fstat(stream.fileno())
            if state.st_mode & 0o077 or (hasattr(os, "getuid") and state.st_uid != os.getuid()):
                return None
            fields = json.loads(stream.read(4096))
        address = Address(int(fields["port"]), str(fields["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return address if 0 < address.port < 2**16 and _TOKEN.fullmatch(address.token) else None


def _write(file: Path, address: Address) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = file.with_suffix(f".{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            json.dump({"port": address.port, "token": address.token}, stream)
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as the server does: what lingers of the last one is no hindrance
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
