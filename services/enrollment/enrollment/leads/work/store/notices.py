"""What departments say of having told an enterprise to enrol."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import raw


async def keep_notices(conn: AsyncConnection, told: Mapping[str, tuple[int, date | None]]) -> None:
    """Subject → (revision, day told); an older state than the one known changes nothing."""
    driver = await raw(conn)
    subjects = sorted(told)
    await driver.execute(
        "INSERT INTO lead_notices (subject, revision, notified_on) "
        "SELECT * FROM unnest(%s::text[], %s::int[], %s::date[]) "
        "ON CONFLICT (subject) DO UPDATE SET revision = EXCLUDED.revision, "
        "notified_on = EXCLUDED.notified_on WHERE lead_notices.revision < EXCLUDED.revision",
        (
            subjects,
            [told[subject][0] for subject in subjects],
            [told[subject][1] for subject in subjects],
        ),
    )
