"""Facts about who is whom, after keys have moved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.identity import store as identity_store
from enrollment.linking.store import moving
from shared.events.enrollment import EmployerLinked, EmployerSplit


class Change(NamedTuple):
    """What became of an employer's keys."""

    rule: str
    merged_into: str | None = None
    split: bool = False


async def tell(
    conn: AsyncConnection, changes: Mapping[str, Change], recorded_at: datetime
) -> list[EmployerLinked | EmployerSplit]:
    """A fact for each employer, with all keys it has now. In the order of the employers' ids."""
    if not changes:
        return []
    named = await identity_store.next_link_revisions(conn, list(changes))
    keys: dict[str, list[str]] = defaultdict(list)
    for employer, key in await identity_store.keys_of(conn, list(changes)):
        keys[employer].append(key)
    facts = []
    for employer, change in sorted(changes.items()):
        name, unit, revision = named[employer]
        kind = EmployerSplit if change.split else EmployerLinked
        facts.append(
            kind(
                key=employer,
                subject=f"link:{employer}",
                revision=revision,
                recorded_at=recorded_at,
                employer_id=employer,
                employer_keys=moving.told_of(keys[employer]),
                name=name,
                unit=unit,
                rule=change.rule,
                merged_into=change.merged_into,
            )
        )
    return facts
