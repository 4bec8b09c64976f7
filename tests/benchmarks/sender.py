"""A sender that costs next to nothing: what is measured is the server."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from http.client import HTTPConnection
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit

IDLE_SECONDS: Final = 1.0
"""A connection that was not used for so long is opened anew: servers close such."""


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes

    @property
    def document(self) -> Any:
        """The body as the JSON it is."""
        return json.loads(self.body)


class Sender:
    """A connection for each thread that sends, kept open, with headers every request carries."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._headers = dict(headers or {})
        self._lines: dict[int, _Line] = {}

    def post(
        self,
        path: str,
        body: bytes | Iterable[bytes],
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Whatever the server answers."""
        return self._ask("POST", path, query, body, headers)

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Answer:
        """Whatever the server answers."""
        return self._ask("GET", path, query)

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        target = f"{path}?{urlencode(query)}" if query else path
        thread = threading.get_ident()
        if thread not in self._lines:
            self._lines[thread] = _Line(HTTPConnection(self._host, self._port, timeout=300))
        line = self._lines[thread]
        return line.ask(method, target, body, {**self._headers, **(headers or {})})

    def close(self) -> None:
        """Give the connections back."""
        for line in self._lines.values():
            line.http.close()


class _Line:
    def __init__(self, http: HTTPConnection) -> None:
        self.http = http
        self._used_at = -IDLE_SECONDS

    def ask(
        self,
        method: str,
        target: str,
        body: bytes | Iterable[bytes] | None,
        headers: Mapping[str, str],
    ) -> Answer:
        if time.monotonic() - self._used_at >= IDLE_SECONDS:
            self.http.close()
            self.http.connect()
            self.http.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.http.request(method, target, body, headers)
        answer = self.http.getresponse()
        given = {name.lower(): value for name, value in answer.getheaders()}
        result = Answer(answer.status, given, answer.read())
        self._used_at = time.monotonic()
        return result
