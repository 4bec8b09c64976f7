"""Statements about applications."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import raw
from shared.deliveries.state import STANDING_SEQ


@dataclass(frozen=True, slots=True)
class ApplicationVersion:
    """The current version of an application."""

    content_hash: bytes
    subject: str
    """Person key or agency number it is about."""
    delivery_id: str
    record_no: int
    seq: int
    """Order of acceptance of its delivery."""
    effective_on: date
    unit: str


Table = Literal["person_applications", "employer_applications"]
_SUBJECTS: dict[Table, str] = {
    "person_applications": "person_key",
    "employer_applications": "agency_no",
}


async def applications(
    conn: AsyncConnection,
    table: Table,
    numbers: Collection[str],
) -> dict[str, ApplicationVersion]:
    """Application number → current version, for those known."""
    driver = await raw(conn)
    cursor = await driver.execute(
        f"SELECT a.natural_key, a.content_hash, a.{_SUBJECTS[table]}, a.delivery_id::text, "
        f"a.record_no, {STANDING_SEQ}, a.effective_on, a.unit "
        f"FROM {table} a LEFT JOIN deliveries d ON d.id = a.delivery_id "
        "WHERE a.natural_key = ANY(%s)",
        (list(numbers),),
    )
    return {row[0]: ApplicationVersion(bytes(row[1]), *row[2:]) for row in await cursor.fetchall()}


async def days_of_applications(
    conn: AsyncConnection, person_keys: Collection[str]
) -> dict[str, dict[str, date]]:
    """Person key → application number → the day it takes effect, as it was told last."""
    driver = await raw(conn)
    cursor = await driver.execute(
        "SELECT person_key, natural_key, effective_on FROM person_applications "
        "WHERE person_key = ANY(%s)",
        (list(person_keys),),
    )
    found: dict[str, dict[str, date]] = {}
    for person_key, number, on in await cursor.fetchall():
        found.setdefault(person_key, {})[number] = on
    return found
