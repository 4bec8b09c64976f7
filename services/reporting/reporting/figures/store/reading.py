"""Every statement that reads figures: values, and the entries behind them (``members`` has who
makes them).

Units are passed as numbers: one for a unit's figure, all for the city's. Lists go by keyset, unit
by unit through an index, so that a page costs its own length and not the figure's.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures.rules import Measure, Segments, Window

Label = TypeVar("Label", bound=Hashable)

DAWN: Final = date(1, 1, 1)
"""No effective day is earlier: with entry 0, where the first page begins."""


class Span(NamedTuple):
    """What to sum: a measure over units and a window; ``segments`` None means all of them."""

    measure: Measure
    units: tuple[int, ...]
    window: Window
    segments: tuple[int, ...] | None = None

    @property
    def from_ever(self) -> bool:
        return self.window.after_on is None


class Entry(NamedTuple):
    """One line of the ledger, with the fact and the record it came from."""

    id: int
    unit: str
    segments: Segments
    quantity: int
    effective_on: date
    recorded_at: datetime
    subject: str
    holder: str
    fact_type: int
    fact_part: str
    fact_revision: int
    delivery_id: UUID | None
    delivered_to: str | None
    """The service that took the delivery; None while its own fact is still on the way."""
    record_no: int | None
    block: int
    block_index: int


async def units_by_code(conn: AsyncConnection) -> dict[str, int]:
    """Every unit code the ledger has met, also such as the plan does not know."""
    rows = await conn.execute(text("SELECT code, id FROM unit_codes"))
    return {row.code: row.id for row in rows}


async def matching_segments(
    conn: AsyncConnection, filters: Mapping[str, str]
) -> tuple[int, ...] | None:
    """Numbers of the segment sets that agree with every filter; None without filters."""
    if not filters:
        return None
    unknown = set(filters) - set(Segments._fields)
    if unknown:
        raise ValueError(f"no such segments: {sorted(unknown)}")
    where = " AND ".join(f"{name} = :{name}" for name in filters)
    rows = await conn.execute(text(f"SELECT id FROM segment_sets WHERE {where}"), dict(filters))
    return tuple(row.id for row in rows)


async def sums_by_unit(
    conn: AsyncConnection, wanted: Sequence[tuple[Label, Measure, Window]]
) -> dict[Label, dict[str, int]]:
    """Label → unit code → sum, for measures of one account, in one pass over the day totals.

    Costs units × days, whatever the number of facts.
    """
    if not wanted:
        return {}
    account = wanted[0][1].account
    sums: list[str] = []
    params: dict[str, Any] = {"account": int(account)}
    for no, (_, measure, window) in enumerate(wanted):
        params[f"to{no}"] = window.up_to_on
        begun = ""
        if window.after_on is not None:
            params[f"after{no}"] = window.after_on
            begun = f"effective_on > :after{no} AND"
        sums.append(
            f"coalesce(sum(q{measure.slot}) FILTER (WHERE {begun} effective_on <= :to{no}),"
            " 0)::int8"
        )
    rows = await conn.execute(
        text(
            f"SELECT u.code, {', '.join(sums)} FROM day_totals d JOIN unit_codes u ON u.id = d.unit"
            " WHERE account = :account GROUP BY u.code"
        ),
        params,
    )
    found: dict[Label, dict[str, int]] = {label: {} for label, _, _ in wanted}
    for row in rows:
        for (label, _, _), value in zip(wanted, row[1:], strict=True):
            found[label][row[0]] = value
    return found


async def value_of(conn: AsyncConnection, span: Span) -> int:
    """The figure: from the day totals, or from the rollups where segments are asked for."""
    table = "day_totals" if span.segments is None else "rollups"
    found = await conn.execute(
        text(
            f"SELECT coalesce(sum(q{span.measure.slot}), 0)::int8 FROM {table}"
            f" WHERE account = :account AND unit = ANY(:units) {window_of(span)} {segment_of(span)}"
        ),
        params_of(span),
    )
    return int(found.scalar_one())


async def value_of_subject(conn: AsyncConnection, span: Span, subject: str) -> int:
    """What one subject weighs in the figure."""
    found = await conn.execute(
        text(
            f"SELECT coalesce(sum(q{span.measure.slot}), 0)::int8 FROM entries"
            " WHERE account = :account AND subject = :subject AND unit = ANY(:units)"
            f" {window_of(span)} {segment_of(span)}"
        ),
        {**params_of(span), "subject": subject},
    )
    return int(found.scalar_one())


async def marks(conn: AsyncConnection) -> list[tuple[str, int, int]]:
    """(producer, partition, position) up to which facts have been applied."""
    rows = await conn.execute(
        text("SELECT producer, partition, position FROM inbox_marks ORDER BY producer, partition")
    )
    return [(row.producer, row.partition, row.position) for row in rows]


async def entries_of(
    conn: AsyncConnection, span: Span, after: tuple[date, int] | None, limit: int
) -> list[Entry]:
    """The entries whose quantities sum to the figure, by effective day and id."""
    after_on, after_id = after or (DAWN, 0)
    rows = await conn.execute(
        text(_figure_entries(span)),
        {**params_of(span), "from_on": after_on, "from_id": after_id, "limit": limit},
    )
    return [_entry(row) for row in rows]


async def entries_of_subject(
    conn: AsyncConnection, span: Span, subject: str, after: tuple[date, int] | None, limit: int
) -> list[Entry]:
    """One subject's entries within the figure, by effective day and id."""
    after_on, after_id = after or (DAWN, 0)
    rows = await conn.execute(
        text(
            f"SELECT {_entry_columns(span)} FROM entries e {_ENTRY_JOINS}"
            f" WHERE e.account = :account AND e.subject = :subject AND e.unit = ANY(:units)"
            f" AND e.q{span.measure.slot} <> 0 {window_of(span, 'e.')} {segment_of(span, 'e.')}"
            " AND (e.effective_on, e.id) > (:from_on, :from_id)"
            " ORDER BY e.effective_on, e.id LIMIT :limit"
        ),
        {
            **params_of(span),
            "subject": subject,
            "from_on": after_on,
            "from_id": after_id,
            "limit": limit,
        },
    )
    return [_entry(row) for row in rows]


def _figure_entries(span: Span) -> str:
    return f"""
    SELECT {_entry_columns(span)}
    FROM unnest(CAST(:units AS int2[])) AS asked (unit) CROSS JOIN LATERAL (
      SELECT * FROM entries e
      WHERE e.account = :account AND e.unit = asked.unit AND e.q{span.measure.slot} <> 0
        {window_of(span, "e.")} {segment_of(span, "e.")}
        AND (e.effective_on, e.id) > (:from_on, :from_id)
      ORDER BY e.effective_on, e.id LIMIT :limit
    ) AS e {_ENTRY_JOINS}
    ORDER BY e.effective_on, e.id LIMIT :limit
    """


def window_of(span: Span, prefix: str = "") -> str:
    """The window as a condition on ``effective_on``, beginning with AND."""
    begun = "" if span.from_ever else f"AND {prefix}effective_on > :after_on"
    return f"{begun} AND {prefix}effective_on <= :up_to_on"


def segment_of(span: Span, prefix: str = "") -> str:
    """The segments asked for as a condition, beginning with AND; nothing for all."""
    return "" if span.segments is None else f"AND {prefix}segment = ANY(:segments)"


def params_of(span: Span) -> dict[str, Any]:
    """What those conditions, the account and the units are filled with."""
    params: dict[str, Any] = {
        "account": int(span.measure.account),
        "units": list(span.units),
        "up_to_on": span.window.up_to_on,
    }
    if span.window.after_on is not None:
        params["after_on"] = span.window.after_on
    if span.segments is not None:
        params["segments"] = list(span.segments)
    return params


_ENTRY_JOINS: Final = "JOIN unit_codes u ON u.id = e.unit JOIN segment_sets s ON s.id = e.segment"


def _entry_columns(span: Span) -> str:
    segments = ", ".join(f"s.{name}" for name in Segments._fields)
    return (
        f"e.id, u.code AS unit_code, {segments}, e.q{span.measure.slot} AS quantity,"
        " e.effective_on, e.recorded_at, e.subject, e.holder, e.fact_type, e.fact_part,"
        " e.fact_revision, e.delivery_id, e.record_no, e.block, e.block_index,"
        " (SELECT d.producer FROM delivery_facts d WHERE d.delivery_id = e.delivery_id)"
        " AS delivered_to"
    )


def _entry(row: Any) -> Entry:
    return Entry(
        row.id,
        row.unit_code,
        Segments(*(getattr(row, name) for name in Segments._fields)),
        row.quantity,
        row.effective_on,
        row.recorded_at,
        row.subject,
        row.holder,
        row.fact_type,
        row.fact_part,
        row.fact_revision,
        row.delivery_id,
        row.delivered_to,
        row.record_no,
        row.block,
        row.block_index,
    )
