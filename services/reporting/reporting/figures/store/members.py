"""Who makes a figure: its members, page by page, each page at its own cost and not the figure's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures.store.reading import Span, params_of, segment_of, window_of

NEAR_ENTRIES: Final = 3000
"""So many entries are walked through rather than asked for by unit and day."""
_RANGE: Final = "account = :account AND subject > :after AND subject <= :last"
_NEAR: Final = f"SELECT count(*) FROM (SELECT FROM entries WHERE {_RANGE} LIMIT :near) AS n"


class Member(NamedTuple):
    """A subject and what it weighs in the figure."""

    subject: str
    quantity: int


async def members_of(
    conn: AsyncConnection, span: Span, after: str | None, limit: int
) -> list[Member]:
    """Subjects whose net quantity is not zero, by subject. Costs the page, not the figure."""
    params = {**params_of(span), "after": after or "", "limit": limit}
    if not _is_position(span):
        walked = await _walked_members(conn, span, params)
        if walked is not None:
            return walked
        rows = await conn.execute(
            text(f"{_summed_members(span)} ORDER BY subject LIMIT :limit"), params
        )
        return [Member(row.subject, int(row.quantity)) for row in rows]
    standing = [
        (row.subject, int(row.quantity))
        for row in await conn.execute(text(_standing_members(span)), params)
    ]
    last = standing[-1][0] if len(standing) == limit else None
    near = last is not None and await _is_near(conn, params, last)
    moved = await conn.execute(
        text(_moved_members(span, last, near=near)), {**params, "last": last}
    )
    weights = Counter(dict(standing))
    for row in moved:
        weights[row.subject] += int(row.quantity)
    page = sorted((subject, quantity) for subject, quantity in weights.items() if quantity)
    return [Member(*member) for member in page[:limit]]


async def count_members(conn: AsyncConnection, span: Span, up_to: int | None = None) -> int:
    """How many subjects ``members_of`` would give in all; counting stops at ``up_to``."""
    stop, params = "", {**params_of(span), "after": ""}
    if up_to is not None:
        stop, params["limit"] = "ORDER BY subject LIMIT :limit", up_to
        walked = await _walked_members(conn, span, params)
        if walked is not None:
            return len(walked)
    found = await conn.execute(
        text(f"SELECT count(*) FROM ({_summed_members(span)} {stop}) AS m"), params
    )
    return int(found.scalar_one())


def _is_position(span: Span) -> bool:
    """Whether holders are subjects and count from ever: then the holdings have the answer."""
    return span.measure.counts_subjects and span.from_ever


def _standing_members(span: Span) -> str:
    """Holders nothing of whose took effect in these units after the window's end: the position in
    the holdings is theirs. At most a page, by subject.

    OFFSET 0 keeps the question a look-up per holder; as a join it would read all later entries.
    """
    quantity = f"q{span.measure.slot}"
    return f"""
    SELECT m.subject, sum(m.quantity) AS quantity
    FROM unnest(CAST(:units AS int2[])) AS asked (unit) CROSS JOIN LATERAL (
      SELECT h.subject, h.{quantity} AS quantity FROM holdings h
      WHERE h.account = :account AND h.unit = asked.unit AND h.{quantity} <> 0
        {segment_of(span, "h.")} AND h.subject > :after
        AND (h.touched_on <= :up_to_on OR NOT EXISTS (SELECT FROM entries e
          WHERE e.account = :account AND e.subject = h.subject AND e.unit = ANY(:units)
            AND e.effective_on > :up_to_on OFFSET 0))
      ORDER BY h.subject LIMIT :limit
    ) AS m GROUP BY m.subject ORDER BY m.subject LIMIT :limit
    """


async def _is_near(conn: AsyncConnection, params: Mapping[str, Any], last: str) -> bool:
    """Whether few entries lie between the page's first subject and its last: as the subjects of
    one unit mostly do, but for those that joined it one by one."""
    found = await conn.execute(text(_NEAR), {**params, "last": last, "near": NEAR_ENTRIES + 1})
    return int(found.scalar_one()) <= NEAR_ENTRIES


def _moved_members(span: Span, last: str | None, *, near: bool) -> str:
    """Those of whom something took effect in these units after the window's end: their entries up
    to it have to be summed. At most a page, by subject, none after ``last``.

    ``near``: the subjects up to ``last`` are walked through the index (OFFSET 0 keeps the planner
    from reading all later entries instead).
    """
    quantity = f"q{span.measure.slot}"
    source = "entries"
    if near:
        source = f"""(SELECT * FROM entries WHERE {_RANGE} OFFSET 0) AS near"""
    up_to = "" if last is None else "AND subject <= :last"
    return f"""
    SELECT t.subject, s.quantity
    FROM (SELECT DISTINCT subject FROM {source}
      WHERE account = :account AND unit = ANY(:units) AND effective_on > :up_to_on
        AND subject > :after {up_to} ORDER BY subject OFFSET 0) AS t
    CROSS JOIN LATERAL (SELECT sum(e.{quantity}) AS quantity FROM entries e
      WHERE e.account = :account AND e.subject = t.subject AND e.unit = ANY(:units)
        {segment_of(span, "e.")} AND e.effective_on <= :up_to_on) AS s
    WHERE s.quantity <> 0 ORDER BY t.subject LIMIT :limit
    """


async def _walked_members(
    conn: AsyncConnection, span: Span, params: Mapping[str, Any]
) -> list[Member] | None:
    """The page from the next entries by subject, where that many fill it or are all there are;
    None where they do not: then few of them lie in the window, and the window is read instead."""
    if span.from_ever:
        return None
    rows = await conn.execute(text(_walked(span)), {**params, "near": NEAR_ENTRIES})
    page = [(row.subject, int(row.quantity), row.whole) for row in rows]
    if len(page) < params["limit"] and not (page and page[0][2]):
        return None
    return [Member(subject, quantity) for subject, quantity, _ in page]


def _walked(span: Span) -> str:
    """The last subject of the walk may go on behind it: it is left out, unless nothing does."""
    return f"""
    WITH near AS MATERIALIZED (
      SELECT subject, unit, segment, effective_on, q{span.measure.slot} AS quantity
      FROM entries WHERE account = :account AND subject > :after ORDER BY subject LIMIT :near
    ), edge AS (SELECT max(subject) AS last, count(*) < :near AS whole FROM near)
    SELECT subject, sum(quantity) AS quantity, edge.whole FROM near CROSS JOIN edge
    WHERE unit = ANY(:units) AND (edge.whole OR subject < edge.last)
      {window_of(span)} {segment_of(span)}
    GROUP BY subject, edge.whole HAVING sum(quantity) <> 0
    ORDER BY subject LIMIT :limit
    """


def _summed_members(span: Span) -> str:
    """By entries. A window that begins is read as such (OFFSET 0: not by walking every subject
    for the few that fall into it); what counts from ever is walked by subject."""
    quantity = f"q{span.measure.slot}"
    source = "entries"
    if not span.from_ever:
        source = f"""(SELECT * FROM entries WHERE account = :account AND unit = ANY(:units)
          {window_of(span)} OFFSET 0) AS counted"""
    return f"""
    SELECT subject, sum({quantity}) AS quantity FROM {source}
    WHERE account = :account AND unit = ANY(:units) AND subject > :after
      {window_of(span)} {segment_of(span)}
    GROUP BY subject HAVING sum({quantity}) <> 0
    """
