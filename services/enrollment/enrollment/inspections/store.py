"""Every SQL statement of inspections beyond the upsert."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.inspections.models import inspection_findings as findings


async def list_findings(
    conn: AsyncConnection,
    equal: Mapping[str, Any],
    units: Collection[str] | None,
    after: str | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Rows by natural key, at most ``limit`` of those after it. ``equal``: column → value, None
    for any. ``units``: those the caller may see, None for all."""
    wanted: list[ColumnElement[bool]] = [true()]
    wanted += [findings.c[name] == value for name, value in equal.items() if value is not None]
    if units is not None:
        wanted.append(findings.c.unit.in_(units))
    if after is not None:
        wanted.append(findings.c.natural_key > after)
    query = select(findings).where(and_(*wanted)).order_by(findings.c.natural_key).limit(limit)
    return (await conn.execute(query)).mappings().all()
