"""Every SQL statement of complaints beyond the upsert."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, insert, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.complaints.models import complaint_accesses, complaints


async def list_complaints(
    conn: AsyncConnection,
    equal: Mapping[str, Any],
    units: Collection[str] | None,
    after: str | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Rows by natural key, at most ``limit`` of those after it. ``equal``: column → value, None
    for any. ``units``: those the caller may see, None for all."""
    wanted: list[ColumnElement[bool]] = [true()]
    wanted += [complaints.c[name] == value for name, value in equal.items() if value is not None]
    if units is not None:
        wanted.append(complaints.c.unit.in_(units))
    if after is not None:
        wanted.append(complaints.c.natural_key > after)
    columns = [column for column in complaints.c if column.name != "sealed"]
    query = select(*columns).where(and_(*wanted)).order_by(complaints.c.natural_key).limit(limit)
    return (await conn.execute(query)).mappings().all()


async def find_sealed(conn: AsyncConnection, natural_key: str) -> RowMapping | None:
    """Unit and sealed content of a complaint, None for one nobody sent."""
    query = select(complaints.c.unit, complaints.c.sealed).where(
        complaints.c.natural_key == natural_key
    )
    return (await conn.execute(query)).mappings().one_or_none()


async def log_access(
    conn: AsyncConnection,
    complaint: str,
    subject: str,
    department: str,
    purpose: str,
    read_at: datetime,
) -> None:
    """Note who read what was written, and what for."""
    await conn.execute(
        insert(complaint_accesses).values(
            complaint=complaint,
            subject=subject,
            department=department,
            purpose=purpose,
            read_at=read_at,
        )
    )
