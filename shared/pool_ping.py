"""Whether a pooled connection still leads to the server, asked only when there is doubt.

A ping is a round trip, and a small delivery takes a connection from the pool six times. A server
that ends a session says so to the socket at once; one that vanished without a word is found out
once the connection has lain idle for a moment.
"""

from __future__ import annotations

import select
import time
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine

IDLE_SECONDS: Final = 1.0
"""Unused for longer than this, a connection is asked anyway."""
_USED_AT: Final = "kuomian_used_at"


def ping_when_in_doubt(engine: AsyncEngine) -> None:
    """Have the engine's pool look at every connection it hands out, and replace all it holds when
    one turns out to be dead."""
    dialect: Any = engine.dialect

    def checkout(connection: Any, record: Any, _: Any) -> None:
        idle = time.monotonic() - record.info.get(_USED_AT, time.monotonic())
        if idle < IDLE_SECONDS and not _has_news(connection.driver_connection):
            return
        try:
            dialect.do_ping(connection)
        except DBAPIError as error:
            raise InvalidatePoolError from error
        except dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    def checkin(_: Any, record: Any) -> None:
        record.info[_USED_AT] = time.monotonic()

    event.listen(engine.sync_engine, "checkout", checkout)
    event.listen(engine.sync_engine, "checkin", checkin)


def _has_news(connection: Any) -> bool:
    """Whether something came in while nobody asked: usually that the session has ended."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
