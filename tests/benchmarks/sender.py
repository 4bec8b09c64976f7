"""A sender that costs next to nothing: what is measured is the server."""

from __future__ import annotations

import json
import socket
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
    """One connection, kept open, with headers every request carries."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        parts = urlsplit(url)
        self._headers = dict(headers or {})
        self._line = HTTPConnection(parts.hostname or "", parts.port, timeout=300)
        self._used_at = -IDLE_SECONDS

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
        if time.monotonic() - self._used_at >= IDLE_SECONDS:
            self._connect()
        self._line.request(method, target, body, {**self._headers, **(headers or {})})
        answer = self._line.getresponse()
        given = {name.lower(): value for name, value in answer.getheaders()}
        result = Answer(answer.status, given, answer.read())
        self._used_at = time.monotonic()
        return result

    def _connect(self) -> None:
        self._line.close()
        self._line.connect()
        self._line.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        """Give the connection back."""
        self._line.close()
