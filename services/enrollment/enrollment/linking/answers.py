"""Rows made into answers: both employers side by side, and the verdict in words."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.golden import store as golden_store
from enrollment.identity.names import RULES, WHAT, Evidence, Said, Verdict, explained
from enrollment.linking import rules
from enrollment.linking.store import links, moving

_BY_PEOPLE = {
    "officer": Said("由经办人员拆分", "parted by an officer"),
    "record": Said("一条记录同时载有两者的号码", "one record names numbers of both"),
}


def verdict_of(row: dict[str, Any]) -> Said:
    """What the pair comes to and why, in both languages."""
    if row["rule"] not in RULES:
        return _BY_PEOPLE[row["rule"]]
    certain = row["automatic"] or row["status"] in rules.TOGETHER
    evidence = tuple(Evidence(**sign) for sign in row["evidence"])
    verdict = Verdict("linked" if certain else "ask", row["score"], evidence, row["rule"])
    return explained(verdict)


def with_signs(row: dict[str, Any]) -> dict[str, Any]:
    """The pair with the signs compared, each with its name."""
    signs = [
        {**sign, "zh": WHAT[sign["what"]].zh, "en": WHAT[sign["what"]].en}
        for sign in row["evidence"]
    ]
    return {**row, "evidence": signs}


async def sides_of(conn: AsyncConnection, *employers: str) -> list[dict[str, Any]]:
    """Each employer with its keys and what every department's records say of it."""
    records = await golden_store.told_of(conn, employers)
    standing = await moving.standings(conn, employers)
    sides = []
    for employer in employers:
        found = await links.find_keys(conn, employer)
        if found is not None:
            found["agency_no"] = standing[employer].agency_no
            found["records"] = [row for row in records if row["employer_id"] == employer]
            sides.append(found)
    return sides
