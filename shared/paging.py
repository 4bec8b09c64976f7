"""Lists one page at a time: opaque keyset cursors, ``limit``, and ``Link: rel="next"`` (RFC 8288).

A cursor is where the last row of a page stood in the list's order, never an offset: rows that
come or go between two requests neither repeat nor hide others.

    @router.get("/things")
    async def list_things(page: PageDep, tx: Tx, response: Response, request: Request): …
        rows = await store.things_after(tx, page.after(str, int), page.limit + 1)
        return page.of(rows, lambda row: (row.name, row.id), request, response)
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request, Response

from shared.problems import problem

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
_UNKEPT = re.compile("[\0\ud800-\udfff]")

Row = TypeVar("Row")
Value = str | int | None


def encode_cursor(*values: Value) -> str:
    """Sort key values of the last row, as opaque URL-safe text."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *types: type) -> tuple[Any, ...]:
    """The values back, exactly of the given types; raises the problem ``cursor-invalid``."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded.encode(), b"-_", validate=True))
    except (ValueError, UnicodeError, RecursionError):
        raise problem("cursor-invalid") from None
    fits = isinstance(values, list) and len(values) == len(types)
    if not fits or any(type(v) is not t for v, t in zip(values, types, strict=True)):
        raise problem("cursor-invalid")
    if not all(_can_be_kept(value) for value in values):
        raise problem("cursor-invalid")
    return tuple(values)


def _can_be_kept(value: Value) -> bool:
    """Whether PostgreSQL knows the value: no cursor of ours holds another."""
    if isinstance(value, str):
        return _UNKEPT.search(value) is None
    return value is None or abs(value) < 2**63


@dataclass(frozen=True)
class Page:
    """What the caller asked for: how many rows, and after which."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    def after(self, *types: type) -> tuple[Any, ...] | None:
        """Sort key values to go on after, None for the first page."""
        return None if self.cursor is None else decode_cursor(self.cursor, *types)

    def cut(
        self, rows: Sequence[Row], key: Callable[[Row], tuple[Value, ...]]
    ) -> tuple[list[Row], str | None]:
        """Split ``limit + 1`` fetched rows into the page and the cursor of the next one."""
        page = list(rows[: self.limit])
        more = len(rows) > self.limit and bool(page)
        return page, encode_cursor(*key(page[-1])) if more else None

    def link(self, cursor: str | None, request: Request, response: Response) -> str | None:
        """The address of the next page, relative to the host; also set as ``Link`` header."""
        if cursor is None:
            return None
        url = request.url.include_query_params(cursor=cursor, limit=self.limit)
        target = f"{url.path}?{url.query}"
        response.headers.append("Link", f'<{target}>; rel="next"')
        return target

    def of(
        self,
        rows: Sequence[Row],
        key: Callable[[Row], tuple[Value, ...]],
        request: Request,
        response: Response,
        shown: Callable[[Row], Any] = lambda row: row,
    ) -> dict[str, Any]:
        """The whole body: ``{"items": […], "next": address or null}``."""
        page, cursor = self.cut(rows, key)
        return {
            "items": [shown(row) for row in page],
            "next": self.link(cursor, request, response),
        }


async def page_asked(
    limit: Annotated[
        int, Query(ge=1, le=MAX_LIMIT, description="每页条数 · rows per page")
    ] = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None,
        Query(
            max_length=2000, description="上一页给出的翻页标记 · cursor as given by the page before"
        ),
    ] = None,
) -> Page:
    """Dependency reading ``limit`` and ``cursor``."""
    return Page(limit, cursor)


PageDep = Annotated[Page, Depends(page_asked)]
"""``page: PageDep`` in a route gives it ``?limit=&cursor=``."""
