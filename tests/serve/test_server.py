"""What the server answers, and all that it does not."""

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
import pytest

from lossatlas.draw import Layout, Scene, SceneMap, decoded
from lossatlas.serve import Address, Feed, LiveServer
from lossatlas.serve.address import _free_port
from lossatlas.serve.feed import framed

TOKEN = "t0ken-" + "x" * 40


def scene(n: int = 0) -> Scene:
    plane = np.ones((n, 2), np.float32)
    map_ = SceneMap(name="m", layouts=(Layout(name="P", caption="", coordinates=plane),), time=np.arange(n, dtype=np.float32))
    return Scene(title=f"{n} points", maps=(map_,))


@dataclass
class Served:
    """A server that runs, and what a client asks it."""

    port: int
    feed: Feed

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.putrequest(method, path, skip_host="Host" in given)
        for name, value in given.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), content

    def say(self, words: bytes) -> bytes:
        """Send bytes as they are; return all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(words)
            connection.shutdown(socket.SHUT_WR)
            found = b""
            while part := connection.recv(4096):
                found += part
            return found

    @contextmanager
    def events(self, **headers: str) -> Iterator:
        """Yield the lines of a stream of events."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            lines = [f"GET /{TOKEN}/events HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
            lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            with connection.makefile("rb") as stream:
                yield (line.decode().rstrip() for line in stream)


@contextmanager
def serving(*, heartbeat: float) -> Iterator[Served]:
    feed = Feed(scene())
    address = Address(_free_port(), TOKEN)
    with LiveServer(address, feed, title="t", heartbeat=heartbeat).running():
        yield Served(address.port, feed)


@pytest.fixture
def served() -> Iterator[Served]:
    with serving(heartbeat=0.2) as found:
        yield found


def test_page_may_ask_its_own_server_alone_and_holds_no_scene(served):
    status, headers, content = served.ask(f"/{TOKEN}/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"connect-src 'self'" in content
    assert b'<div id="lossatlas" data-live="events"></div>' in content
    assert b'role="status"' in content
    assert b"scene-header" not in content.partition(b"<script>")[0]
    assert headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert served.ask(f"/{TOKEN}/", Host=f"localhost:{served.port}")[0] == 200


def test_scene_comes_framed_and_only_when_it_is_another(served):
    served.feed.publish(scene(3))
    status, headers, content = served.ask(f"/{TOKEN}/scene")
    length = int.from_bytes(content[:8], "little")
    found = decoded(content[8 : 8 + length].decode(), content[8 + length :])
    assert (status, found.title, found.maps[0].time.tolist()) == (200, "3 points", [0, 1, 2])
    assert length % 8 == 0
    tag = headers["ETag"]
    assert served.ask(f"/{TOKEN}/scene", If_None_Match=tag) == (304, served.ask(f"/{TOKEN}/scene", If_None_Match=tag)[1], b"")
    served.feed.publish(scene(4))
    assert served.ask(f"/{TOKEN}/scene", If_None_Match=tag)[0] == 200


def test_head_says_the_same_without_content(served):
    for path in ("", "scene"):
        _, headers, content = served.ask(f"/{TOKEN}/{path}")
        status, same, nothing = served.ask(f"/{TOKEN}/{path}", "HEAD")
        assert (status, nothing) == (200, b"")
        assert same["Content-Length"] == headers["Content-Length"] == str(len(content))
        words = f"HEAD /{TOKEN}/{path} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n\r\n"
        assert served.say(words.encode()).endswith(b"\r\n\r\n")  # a client would leave what follows unread
    assert served.ask(f"/{TOKEN}/events", "HEAD")[1]["Content-Type"] == "text/event-stream; charset=utf-8"


def test_events_say_the_version_then_each_new_one_and_beat_in_between(served):
    with served.events() as lines:
        head = list(iter(lambda: next(lines), ""))
        assert head[0] == "HTTP/1.0 200 OK"
        assert "X-Accel-Buffering: no" in head
        assert "Content-Type: text/event-stream; charset=utf-8" in head
        assert [next(lines), next(lines)] == ["retry: 1000", ""]
        first = served.feed.newest.version
        assert [next(lines) for _ in range(4)] == [f"id: {first}", "event: scene", f"data: {first}", ""]
        assert [next(lines), next(lines)] == [":", ""]
        served.feed.publish(scene(3))
        second = next(line for line in lines if line.startswith("id: "))
        assert second == f"id: {served.feed.newest.version}" != f"id: {first}"


def test_page_that_comes_back_is_told_of_nothing_that_it_knows(served):
    with served.events(Last_Event_ID=served.feed.newest.version) as lines:
        after = list(iter(lambda: next(lines), ""))
        assert "200" in after[0]
        assert [next(lines) for _ in range(4)] == ["retry: 1000", "", ":", ""]  # the heart, and no event
    with served.events(Last_Event_ID="of-another-server-7") as lines:
        assert next(line for line in lines if line.startswith("id: ")) == f"id: {served.feed.newest.version}"


def test_same_scene_is_no_news(served):
    version = served.feed.newest.version
    served.feed.publish(scene())
    assert served.feed.newest.version == version


def test_versions_of_two_servers_differ():
    assert Feed(scene()).newest.version != Feed(scene()).newest.version


REFUSED = {
    "no token": ("/", {}, 403),
    "no token, a page": ("/scene", {}, 403),
    "a wrong token": (f"/{TOKEN[:-1]}y/", {}, 403),
    "a part of the token": (f"/{TOKEN[:-1]}/", {}, 403),
    "more than the token": (f"/{TOKEN}x/scene", {}, 403),
    "a token that is no ASCII": ("/%C3%BC/", {}, 403),
    "a token in a query": (f"/scene?token={TOKEN}", {}, 403),
    "an unknown page": (f"/{TOKEN}/other", {}, 404),
    "a page below a page": (f"/{TOKEN}/scene/", {}, 404),
    "dots": (f"/{TOKEN}/../{TOKEN}/scene", {}, 404),
    "dots to a file": (f"/{TOKEN}/../../../../etc/passwd", {}, 404),
    "dots first": (f"/../{TOKEN}/scene", {}, 403),
    "encoded dots": (f"/{TOKEN}/%2e%2e/{TOKEN}/scene", {}, 404),
    "encoded slashes": (f"/{TOKEN}%2Fscene", {}, 403),
    "doubly encoded dots": (f"/{TOKEN}/%252e%252e/scene", {}, 404),
    "backslashes": (f"/{TOKEN}/..\\scene", {}, 404),
    "a zero byte": (f"/{TOKEN}/scene%00", {}, 404),
    "a file of the package": (f"/{TOKEN}/viewer.js", {}, 404),
    "a name that was made to lead here": (f"/{TOKEN}/", {"Host": "evil.example:{port}"}, 403),
    "a host that only begins well": (f"/{TOKEN}/", {"Host": "127.0.0.1:{port}.evil.example"}, 403),
    "another port": (f"/{TOKEN}/", {"Host": "127.0.0.1:1"}, 403),
    "no port": (f"/{TOKEN}/", {"Host": "127.0.0.1"}, 403),
    "a page of elsewhere": (f"/{TOKEN}/scene", {"Origin": "https://evil.example"}, 403),
    "a page of another port": (f"/{TOKEN}/scene", {"Origin": "http://127.0.0.1:1"}, 403),
    "a page of nowhere": (f"/{TOKEN}/scene", {"Origin": "null"}, 403),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_its_pages_is_refused_in_one_line(served, case):
    path, headers, expected = REFUSED[case]
    headers = {name: value.replace("{port}", str(served.port)) for name, value in headers.items()}
    status, given, content = served.ask(path, **headers)
    assert status == expected
    assert content.count(b"\n") == 1
    assert content.endswith(b"\n")
    assert TOKEN.encode() not in content
    assert given["Content-Type"] == "text/plain; charset=utf-8"


def test_its_own_page_is_answered(served):
    for host in ("127.0.0.1", "localhost"):
        assert served.ask(f"/{TOKEN}/scene", Origin=f"http://{host}:{served.port}")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get"])
def test_methods_that_would_change_something_are_refused(served, method):
    status, headers, content = served.ask(f"/{TOKEN}/scene", method)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")
    assert content == b"this server shows, and takes nothing: GET and HEAD\n"


@pytest.mark.parametrize(
    "words",
    [
        b"GET /TOKEN/scene HTTP/1.1\r\n\r\n",  # no host
        b"GET /TOKEN/scene HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nHost: evil.example\r\n\r\n",
        b"GET http://evil.example/TOKEN/scene HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
        b"GET http://127.0.0.1:PORT/TOKEN/scene HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
        b"GET /TOKEN/scene\r\n\r\n",  # HTTP/0.9, which has no host
        b"GET //TOKEN/../scene HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
        b"GET /\xff\xfe/TOKEN/scene HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
        b"GET /TOKEN/\x00scene HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
        b"GET ../TOKEN/scene HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
        b"GET /TOKEN/scene HTTP/9.9\r\nHost: 127.0.0.1:PORT\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",  # TLS
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
        b"GET /TOKEN/scene HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n" + b"A: b\r\n" * 300 + b"\r\n",
    ],
    ids=range(13),
)
def test_odd_bytes_get_no_scene(served, words, capfd):
    served.feed.publish(scene(3))
    answer = served.say(words.replace(b"TOKEN", TOKEN.encode()).replace(b"PORT", str(served.port).encode()))
    assert b"lossatlas-scene" not in answer
    assert b" 200 " not in answer.partition(b"\r\n")[0]
    assert b"root:" not in answer
    assert served.ask(f"/{TOKEN}/scene")[0] == 200  # and it goes on
    assert capfd.readouterr() == ("", "")


def test_streams_have_a_number_and_a_page_that_leaves_gives_its_place_free():
    # Long before the heart beats, which would notice too.
    with serving(heartbeat=60) as served, ExitStack() as others:
        for _ in range(31):
            assert "200" in next(others.enter_context(served.events()))
        with served.events() as last:
            assert "200" in next(last)
            with served.events() as more:
                assert "503" in next(more)
        until = time.monotonic() + 5
        while time.monotonic() < until:
            with served.events() as again:
                if "200" in next(again):
                    break
            time.sleep(0.1)
        else:
            pytest.fail("the place was not given free")


def test_listens_on_one_loopback_address_alone(served):
    # The whole of 127.0.0.0/8 is this machine: what listens on all addresses would answer here.
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", served.port), timeout=2)


def test_port_that_is_taken_is_refused(served, refuses):
    with refuses(f"port {served.port} cannot be listened on"):
        LiveServer(Address(served.port, TOKEN), served.feed, title="t")


def test_name_that_is_no_text_is_framed():
    content = framed(Scene(title="\udcff", maps=()))
    length = int.from_bytes(content[:8], "little")
    assert decoded(content[8 : 8 + length].decode(), b"").title == "\udcff"
