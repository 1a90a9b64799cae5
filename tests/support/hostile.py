"""A local web server that misbehaves in the ways that a test sets."""

from __future__ import annotations

import contextlib
import gzip
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Reply:
    """The answer to one request."""

    status: int = 200
    body: bytes | None = None
    """None serves the server's own file."""
    etag: str | None = '"one"'
    ranges: bool = True
    """Whether a Range header is honoured."""
    stop: int | None = None
    """Bytes after which the server drops the connection."""
    stall: int | None = None
    """Bytes after which the server sends nothing more and keeps the connection open."""
    length: int | str | None = None
    """A false Content-Length; "" sends none, None the true one."""
    content_range: str | None = None
    """A false Content-Range; None sends the true one."""
    zipped: bool = False
    """Whether the body is sent with gzip."""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    served: int = 0

    @property
    def start(self) -> int:
        """Returns the first byte of the requested range."""
        return int(re.findall(r"\d+", self.headers.get("range", "0"))[0])


class Hostile:
    """Sends `replies` one after the other, repeats the last one, and records each request and the bytes served."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.replies: list[Reply] = [Reply()]
        self.requests: list[Request] = []
        self.let_go = threading.Event()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port = self._server.server_address[1]
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def served(self) -> int:
        """Returns the number of body bytes sent so far."""
        return sum(request.served for request in self.requests)

    def next_reply(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def close(self) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextlib.contextmanager
def hostile(body: bytes) -> Iterator[Hostile]:
    server = Hostile(body)
    try:
        yield server
    finally:
        server.close()


def _handler(server: Hostile) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.path, headers)
            reply = server.next_reply(request)
            body = server.body if reply.body is None else reply.body
            status, start = reply.status, 0
            matches = headers.get("if-range") in (None, reply.etag)
            if reply.ranges and status == 200 and "range" in headers and matches:
                start = request.start
                status = 206 if start < len(body) else 416
            self._answer(request, reply, body, status, start)

        def _answer(self, request: Request, reply: Reply, body: bytes, status: int, start: int) -> None:
            sent = body[start:] if status in (200, 206) else b""
            if reply.zipped:
                sent = gzip.compress(sent)
            self.send_response(status)
            length = len(sent) if reply.length is None else reply.length
            if length != "":
                self.send_header("Content-Length", str(length))
            if status == 206:
                content_range = reply.content_range or f"bytes {start}-{len(body) - 1}/{len(body)}"
                self.send_header("Content-Range", content_range)
            if reply.etag:
                self.send_header("ETag", reply.etag)
            if reply.zipped:
                self.send_header("Content-Encoding", "gzip")
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            self._send(request, reply, sent)

        def _send(self, request: Request, reply: Reply, sent: bytes) -> None:
            ends = [n for n in (reply.stop, reply.stall) if n is not None]
            with contextlib.suppress(OSError):
                for at in range(0, min([len(sent), *ends]), 1 << 16):
                    piece = sent[at : min([at + (1 << 16), len(sent), *ends])]
                    self.wfile.write(piece)
                    request.served += len(piece)
                self.wfile.flush()
            if reply.stall is not None:
                server.let_go.wait(30)

        def log_message(self, *arguments: object) -> None:
            pass

    return Handler
