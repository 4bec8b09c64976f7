"""Whether a delivery to the register may be taken back: what came before or after it stands on it.

The register's state has several sources (lists, applications, an employer's change of segment).
Where taking one back would need another's effect worked out anew, it is refused, with the reason:
the state is then put right by a new list or application, which is always possible.
"""

from __future__ import annotations

from typing import Final, LiteralString
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import raw

_LATER_LIST: Final[LiteralString] = (
    "EXISTS (SELECT FROM deliveries AS l JOIN deliveries AS d ON d.id = %(id)s "
    "WHERE l.feed = %(list)s AND l.seq > d.seq AND NOT l.dry_run AND NOT l.nil "
    "AND l.withdrawn_at IS NULL)"
)

_PERSON_APPLICATIONS: Final[LiteralString] = (
    "SELECT count(*) FROM person_applications AS a LEFT JOIN persons AS p "
    "ON p.person_key = a.person_key AND p.delivery_id = a.delivery_id "
    "AND p.record_no = a.record_no AND p.revision = 1 "
    "WHERE a.delivery_id = %(id)s AND a.revision = 1 AND p.person_key IS NULL"
)

_EMPLOYER_APPLICATIONS: Final[LiteralString] = (
    "SELECT count(*) FROM employer_applications AS a LEFT JOIN register_employers AS e "
    "ON e.agency_no = a.agency_no AND e.delivery_id = a.delivery_id "
    "AND e.record_no = a.record_no AND e.revision = 1 AND NOT EXISTS (SELECT FROM persons AS p "
    "WHERE p.employer_id = e.employer_id AND p.status <> 'ended') "
    "WHERE a.delivery_id = %(id)s AND e.agency_no IS NULL"
)

_PERSONS_LIST: Final[LiteralString] = (
    "SELECT count(*) FROM persons AS p WHERE p.delivery_id = %(id)s AND EXISTS "
    "(SELECT FROM person_applications AS a WHERE a.person_key = p.person_key)"
)

_EMPLOYERS_LIST: Final[LiteralString] = (
    "SELECT count(*) FROM register_employers AS e WHERE e.delivery_id = %(id)s AND (EXISTS "
    "(SELECT FROM employer_applications AS a WHERE a.agency_no = e.agency_no) "
    "OR e.revision = 1 AND EXISTS (SELECT FROM persons AS p "
    "WHERE p.employer_id = e.employer_id AND p.status <> 'ended'))"
)


async def person_applications_stand(conn: AsyncConnection, delivery_id: UUID) -> str | None:
    """Why applications about persons cannot be taken back."""
    return await _later_effect(conn, delivery_id, _PERSON_APPLICATIONS, "insured-persons")


async def employer_applications_stand(conn: AsyncConnection, delivery_id: UUID) -> str | None:
    """Why applications about employers cannot be taken back."""
    return await _later_effect(conn, delivery_id, _EMPLOYER_APPLICATIONS, "employers")


async def _later_effect(
    conn: AsyncConnection, delivery_id: UUID, query: LiteralString, told_by: str
) -> str | None:
    driver = await raw(conn)
    params = {"id": delivery_id, "list": told_by}
    found = await (await driver.execute("SELECT " + _LATER_LIST, params)).fetchone()
    if found and found[0]:
        return (
            f"其后已收到 {told_by} 名册，请以新的申请更正 · a list of {told_by} was accepted "
            "since: put it right by a new application"
        )
    counted = await (await driver.execute(query, params)).fetchone()
    if not counted or not counted[0]:
        return None
    return (
        f"{counted[0]} 件申请之前或之后另有登记，请以新的申请更正 · {counted[0]} of its "
        "applications have an earlier state under them or a later one upon them: "
        "put them right by new ones"
    )


async def persons_list_stands(conn: AsyncConnection, delivery_id: UUID) -> str | None:
    """Why a list of persons cannot be taken back."""
    return await _on_applications(conn, delivery_id, _PERSONS_LIST)


async def employers_list_stands(conn: AsyncConnection, delivery_id: UUID) -> str | None:
    """Why a list of employers cannot be taken back."""
    return await _on_applications(conn, delivery_id, _EMPLOYERS_LIST)


async def _on_applications(
    conn: AsyncConnection, delivery_id: UUID, query: LiteralString
) -> str | None:
    driver = await raw(conn)
    counted = await (await driver.execute(query, {"id": delivery_id})).fetchone()
    if not counted or not counted[0]:
        return None
    return (
        f"{counted[0]} 条记录与申请或在册人员相关联，请报新名册更正 · {counted[0]} of its entries "
        "are also subject of applications, or have persons: put them right by a new list"
    )
