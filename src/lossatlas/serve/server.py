"""Scenes over HTTP: three addresses on the loopback interface, for pages that know the token; all else is refused in one line."""

import os
import secrets
import select
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lossatlas._arrays import InputError
from lossatlas.draw import live_page
from lossatlas.serve.address import HOST, Address
from lossatlas.serve.feed import Feed

HEARTBEAT = 15.0  # seconds; what stands between (a tunnel, a proxy) lets go of a connection on which nothing moves
_RETRY = 1000  # milliseconds after which a page asks again
_LOOK = 1.0  # seconds after which it is noticed that a page has left
_STREAMS = 32  # pages at once
_PATIENCE = 30.0  # seconds for a request to be said

_REUSE = (socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
_STREAM = {"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
_HEADERS = {
    "Cache-Control": "no-store",
    # The page says the rest itself; that nothing may frame it, a header alone can say.
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class LiveServer:
    """Serves a feed's scenes at an address.

    ``/TOKEN/`` is the page, ``/TOKEN/scene`` the newest scene (:func:`framed`) with its version as ETag, and ``/TOKEN/events`` a
    stream of server-sent events, each of which says no more than that there is another version.

    Raises:
        InputError: the port is taken.
    """

    def __init__(self, address: Address, feed: Feed, *, title: str, heartbeat: float = HEARTBEAT) -> None:
        self.address = address
        try:
            self._server = _Server(address, feed, live_page(title).encode("utf-8", "backslashreplace"), heartbeat)
        except OSError as error:
            raise InputError(f"port {address.port} cannot be listened on ({error.strerror}); pass another --port") from error

    @contextmanager
    def running(self) -> Iterator[None]:
        """Answer until the block is left."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._server.feed.close()
            self._server.shutdown()
            self._server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a page that holds its stream does not hold the program
    # What lingers of the last server is no hindrance on POSIX; on Windows it would let another program listen beside.
    allow_reuse_address = os.name != "nt"

    def __init__(self, address: Address, feed: Feed, page: bytes, heartbeat: float) -> None:
        self.token, self.feed, self.page, self.heartbeat = address.token, feed, page, heartbeat
        self.hosts = {f"{host}:{address.port}" for host in (HOST, "localhost")}
        self.streams = threading.Semaphore(_STREAMS)
        super().__init__((HOST, address.port), _Handler)

    def server_bind(self) -> None:
        """Listen, without asking the name service for the machine's name."""
        self.socket.setsockopt(*_REUSE) if self.allow_reuse_address else None
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the base's
        """Say nothing of a page that went away in the middle of an answer."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    # One answer a connection (HTTP/1.0, the base's default): what a page holds open is its stream of events alone.
    server: _Server
    timeout = _PATIENCE
    server_version, sys_version = "lossatlas", ""

    def do_GET(self) -> None:
        """Answer, or refuse."""
        refusal = self._refusal()
        if refusal:
            self._refuse(*refusal)
            return
        what = self.path.removeprefix(f"/{self.server.token}/").partition("?")[0]
        if what == "":
            self._answer(self.server.page, "text/html; charset=utf-8")
        elif what == "scene":
            self._answer_scene()
        elif what == "events":
            self._answer_events()
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such page; open the address that lossatlas watch printed")

    do_HEAD = do_GET  # noqa: N815 - the base calls it

    def _refusal(self) -> tuple[HTTPStatus, str] | None:
        """Return why a request is not answered: who asks comes before what is asked for."""
        # A page of elsewhere whose name was made to lead here (DNS rebinding) comes with that name.
        if self.headers.get_all("Host", []) not in [[host] for host in self.server.hosts]:
            return HTTPStatus.FORBIDDEN, "this server answers 127.0.0.1 and localhost at its own port alone"
        origin = self.headers.get("Origin")
        if origin is not None and origin not in {f"http://{host}" for host in self.server.hosts}:
            return HTTPStatus.FORBIDDEN, "this server answers its own page alone, not one from elsewhere"
        token = self.path.split("/")[1] if self.path.startswith("/") and self.path.count("/") > 1 else ""
        if not secrets.compare_digest(token.encode("utf-8", "replace"), self.server.token.encode()):
            return HTTPStatus.FORBIDDEN, "the token is missing or wrong; open the whole address that lossatlas watch printed"
        return None

    def _answer_scene(self) -> None:
        newest = self.server.feed.newest
        tag = f'"{newest.version}"'
        if self.headers.get("If-None-Match") == tag:
            self._begin(HTTPStatus.NOT_MODIFIED, {"ETag": tag})
        else:
            self._answer(newest.content, "application/octet-stream", {"ETag": tag})

    def _answer_events(self) -> None:
        if self.command == "HEAD":
            self._begin(HTTPStatus.OK, _STREAM)
            return
        if not self.server.streams.acquire(blocking=False):
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, f"{_STREAMS} pages look already; close one")
            return
        try:
            self._begin(HTTPStatus.OK, _STREAM)
            with suppress(OSError):  # the page has gone
                self._tell(self.headers.get("Last-Event-ID", ""))
        finally:
            self.server.streams.release()

    def _tell(self, known: str) -> None:
        feed, since = self.server.feed, time.monotonic()
        self.wfile.write(f"retry: {_RETRY}\n\n".encode())
        while not (feed.is_closed or self._has_left()):
            version = feed.wait(known, seconds=min(_LOOK, self.server.heartbeat))
            if version != known:
                self.wfile.write(f"id: {version}\nevent: scene\ndata: {version}\n\n".encode())
            elif time.monotonic() - since >= self.server.heartbeat:
                self.wfile.write(b":\n\n")
            else:
                continue
            known, since = version, time.monotonic()

    def _has_left(self) -> bool:
        """Whether the page has closed its stream, on which it says nothing: a write would not notice before the second."""
        return bool(select.select([self.connection], [], [], 0)[0])

    def _answer(self, content: bytes, kind: str, further: dict[str, str] | None = None) -> None:
        self._begin(HTTPStatus.OK, {"Content-Type": kind, "Content-Length": str(len(content)), **(further or {})})
        if self.command != "HEAD":
            self.wfile.write(content)

    def _refuse(self, status: HTTPStatus, why: str, further: dict[str, str] | None = None) -> None:
        content = f"{why}\n".encode()
        about = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(content)), **(further or {})}
        self._begin(status, about)
        if self.command != "HEAD":
            self.wfile.write(content)

    def _begin(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002 - the base's
        """Refuse what the base cannot read, or a method that it does not know, in one line and without repeating any of it."""
        self.close_connection = True
        if code == HTTPStatus.NOT_IMPLEMENTED:
            self._refuse(
                HTTPStatus.METHOD_NOT_ALLOWED, "this server shows, and takes nothing: GET and HEAD", {"Allow": "GET, HEAD"}
            )
        else:
            self._refuse(HTTPStatus(code), "this is no request that the server understands")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: ANN401 - the base's
        """Say nothing: the address, token included, is no line of a log."""
