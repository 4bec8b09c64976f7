"""What planted contradictions and officers' deeds have left behind, counted through the public API.

Only what came before the closing counts: whoever uses the loaded city afterwards spoils nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from kuomian.city.apart import firm_of
from kuomian.client import Api
from kuomian.demo.state import Answer, Done

PAGE = 1000
_E = "/enrollment/v1"
_ON_OWN_WORK = ("same-person", "precondition-failed")


async def doubts_of(
    api: Api, answers: Iterable[Answer], done: Iterable[Done], before: datetime
) -> dict[str, int]:
    """Kind of mess → how often it is found. Raises Refused, Unreachable."""
    problems: Counter[str] = Counter()
    applied: Counter[str] = Counter()
    for answer in answers:
        problems.update(answer.problems if answer.kind != "again" else {})
        applied[answer.plants] += answer.counts["applied"]
    findings: Counter[str] = Counter()
    for row in await api.get(f"{_E}/register/enrolment-findings/counts"):
        findings[row["finding"]] += row["count"]
    refused = [one.refused for one in done if one.refused == one.expected]
    census = await api.get(f"{_E}/census/progress")
    reasons = [unit["by_reason"].get("insured-elsewhere", 0) for unit in census["units"]]
    attempts = await _listed(api, f"{_E}/register/refusal-attempts", "attempted_at", before)
    interrupted: dict[str, Any] = {"kind": "unenrolled-person", "source": "person-applications"}
    return {
        **await _of_pairs(api, before),
        **await _of_leads(api, before),
        "succeeded": await _succeeded(api),
        "wrong-age": sum(findings[name] for name in ("too-old", "too-young", "post-unknown")),
        "employer-left": findings["employer-ended"],
        "dead": problems["person-died"],
        "short-number": applied["short-number"],
        "told-late": applied["told-late"],
        "interrupted": len(await _listed(api, f"{_E}/leads", **interrupted)),
        "transfers": len(await _listed(api, f"{_E}/register/transfers")),
        "elsewhere": sum(reasons),
        "forbidden-refusal": len(attempts),
        "deed-refused": sum(code in _ON_OWN_WORK for code in refused),
    }


async def _listed(
    api: Api, path: str, dated: str = "", before: datetime | None = None, **asked: Any
) -> list[dict[str, Any]]:
    """A list's items, of those with a moment the earlier ones."""
    return [
        row
        async for row in api.items(path, limit=PAGE, **asked)
        if before is None or datetime.fromisoformat(row[dated]) < before
    ]


async def _of_pairs(api: Api, before: datetime) -> dict[str, int]:
    path = f"{_E}/identity"
    conflicts = await _listed(api, f"{path}/conflicts", "found_at", before)
    confirmed = await _listed(api, f"{path}/links", "decided_at", before, status="confirmed")
    return {
        "two-codes": sum(link["rule"] == "codes-contradict" for link in confirmed),
        "namesakes": len(await _listed(api, f"{path}/links", "decided_at", before, status="split")),
        # One that no record made keeps apart who was split.
        "two-on-one-row": sum(one["delivery_id"] is not None for one in conflicts),
        "two-names": len(await _listed(api, f"{path}/person-names", "found_at", before)),
    }


async def _of_leads(api: Api, before: datetime) -> dict[str, int]:
    path = f"{_E}/lead-work/entries"
    stages = await _listed(api, path, "recorded_at", before, kind="stage")
    worked = [
        await api.get(f"{_E}/leads/{lead}/work")
        for lead in sorted({one["lead_id"] for one in stages})
    ]
    promised = [lead for lead in worked if any(one["promised_by"] for one in lead["log"])]
    kept = sum(lead["outcome"] == "enrolled" for lead in promised)
    measures = await _listed(api, path, "recorded_at", before, kind="measure")
    excluded = await _listed(api, path, "recorded_at", before, kind="excluded")
    asked: dict[str, Any] = {"kind": "unenrolled-employer", "status": "closed"}
    told_on = {
        lead["employer_id"]
        for source in ("complaints", "inspection-findings")
        for lead in await _listed(api, f"{_E}/leads", source=source, **asked)
        if lead["outcome"] == "enrolled"
    }
    return {
        "promise-kept": kept,
        "promise-broken": len(promised) - kept,
        "escalated": len({one["lead_id"] for one in measures}),
        "excluded": len(excluded),
        "told-on": len(told_on),
    }


async def _succeeded(api: Api) -> int:
    """Changes of licences that the code certificate knows nothing of and that moved nobody."""
    path = "/registration-feed/v1/enterprises"
    changed = await _listed(api, path, feed="business-licences", event="changed")
    codes = await _listed(api, path, feed="organisation-codes")
    certified: dict[int | None, Mapping[str, Any]] = {
        firm_of(f"oc:{code['number']}"): code for code in codes
    }
    found = 0
    for licence in changed:
        code = certified.get(firm_of(f"lic:{licence['number']}"))
        if code is not None and code["event"] != "changed" and code["unit"] == licence["unit"]:
            found += 1
    return found
