"""Officers' deeds done over the public API: looked up, looked at, done, or refused as planned.

A deed that was done by an earlier start, whose end was not noted, is found done and not repeated;
one that has to be refused is refused again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from kuomian.city.officers import Deed
from kuomian.client import Api, Refused

_IDENTITY = "/enrollment/v1/identity"
_LEADS = "/enrollment/v1/leads"
_APPLICATIONS = "/enrollment/v1/register/applications"
_TOGETHER = ("linked", "confirmed")


class Office:
    """The desks of all officers."""

    def __init__(self, api: Api, tokens: Mapping[str, str]) -> None:
        self._api, self._tokens = api, tokens
        self._lead_of: dict[str, str] = {}
        """Employer's key → its lead; nobody worked on is found to be somebody else meanwhile."""
        self._seen: dict[str, str] = {}
        """Lead → the ETag that was seen before the last deed."""

    async def do(self, deed: Deed) -> str:
        """Do it; the problem's code where it was refused, else nothing. Raises Unreachable."""
        desk = _Desk(self._api, deed, {"Authorization": f"Bearer {self._tokens[deed.role]}"})
        try:
            if deed.what == "lead":
                await self._lead(desk, deed)
            elif deed.what == "apply":
                await _apply(desk, deed)
            elif deed.what == "decide":
                await _decide(desk, deed)
            elif deed.what == "pair":
                await _pair(desk, deed)
            else:
                await _oldest(desk, deed)
        except Refused as refused:
            return refused.code
        return ""

    async def _lead(self, desk: _Desk, deed: Deed) -> None:
        lead = self._lead_of.get(deed.about)
        if lead is None:
            lead = self._lead_of[deed.about] = await desk.lead(deed.about)
        work, tag = await desk.seen(f"{_LEADS}/{lead}/work")
        if any(_is_told(entry, deed) for entry in work["log"]):
            return
        before = self._seen.get(lead, '"none"')
        self._seen[lead] = tag
        method = "POST" if deed.path in ("contacts", "exclusion") else "PUT"
        used = before if deed.stale else tag
        await desk.send(method, f"{_LEADS}/{lead}/{deed.path}", deed.given, used)


class _Desk:
    """One officer at one deed."""

    def __init__(self, api: Api, deed: Deed, headers: Mapping[str, str]) -> None:
        self.api, self.deed, self.headers = api, deed, headers

    async def get(self, path: str, **query: Any) -> Any:
        answer = await self.api.request("GET", path, params=query, headers=self.headers)
        return answer.json()

    async def seen(self, path: str) -> tuple[Any, str]:
        """An answer and its ETag."""
        answer = await self.api.request("GET", path, headers=self.headers)
        return answer.json(), answer.headers["ETag"]

    async def items(self, path: str, **query: Any) -> AsyncIterator[dict[str, Any]]:
        """Every item of a short list."""
        for item in (await self.get(path, limit=1000, **query))["items"]:
            yield item

    async def send(self, method: str, path: str, given: Any, tag: str | None = None) -> None:
        headers = {**self.headers, **({"If-Match": tag} if tag else {})}
        await self.api.request(method, path, json=dict(given), headers=headers)

    async def employer(self, key: str) -> str:
        """Whose number it is, now. Raises Refused (404) for a number nobody knows."""
        async for one in self.items("/enrollment/v1/employers", key=key):
            return str(one["employer_id"])
        raise Refused(404, {"code": "not-found", "detail": key})

    async def lead(self, key: str) -> str:
        """The lead of the employer that has not enrolled; the newest, if one closed before it."""
        employer = await self.employer(key)
        leads = self.items(_LEADS, employer=employer, kind="unenrolled-employer")
        found = [str(one["lead_id"]) async for one in leads]
        if not found:
            raise Refused(404, {"code": "not-found", "detail": key})
        return found[-1]


def _is_told(entry: Mapping[str, Any], deed: Deed) -> bool:
    """Whether the lead's log has the deed."""
    return bool(
        entry["made_by"] == f"{deed.role}@demo"
        and entry["text"] == deed.given.get("text")
        and entry["officer"] == deed.given.get("officer")
    )


async def _apply(desk: _Desk, deed: Deed) -> None:
    if await _application(desk, deed.about) is None:
        made = {"feed": "person-applications", "record": dict(deed.given)}
        await desk.send("POST", _APPLICATIONS, made)


async def _application(desk: _Desk, number: str) -> Mapping[str, Any] | None:
    async for one in desk.items(_APPLICATIONS):
        if one["application_no"] == number:
            return one
    return None


async def _decide(desk: _Desk, deed: Deed) -> None:
    found = await _application(desk, deed.about)
    if found is None:
        raise Refused(404, {"code": "not-found", "detail": deed.about})
    if found["state"] != "pending" and not deed.refused:
        return
    path = f"{_APPLICATIONS}/{found['application_id']}"
    _, tag = await desk.seen(path)
    await desk.send("POST", f"{path}/decision", deed.given, tag)


async def _pair(desk: _Desk, deed: Deed) -> None:
    """Whoever are taken for one and are two are split, or refused where they were asked about; one
    firm is confirmed. Nothing to do for those that stand as they should."""
    one, other = [await desk.employer(key) for key in deed.about.split()]
    wanted = deed.given["decision"]
    decision = wanted
    if one == other:
        if wanted == "confirm":
            return
        status: tuple[str, ...] = _TOGETHER
        decision = "split"
    else:
        status = ("suggested",)
        decision = "refuse" if wanted == "split" else wanted
    async for link in desk.items(f"{_IDENTITY}/links", employer=one):
        sides = {link["left_id"], link["right_id"]}
        if link["status"] in status and (one == other or other in sides):
            path = f"{_IDENTITY}/links/{link['id']}"
            _, tag = await desk.seen(path)
            given = {**deed.given, "decision": decision}
            await desk.send("POST", f"{path}/decisions", given, tag)
            return


async def _oldest(desk: _Desk, deed: Deed) -> None:
    """The oldest of a queue, decided; an earlier start may have done so before."""
    path = f"{_IDENTITY}/{deed.what}s"
    async for one in desk.items(path, status="open"):
        _, tag = await desk.seen(f"{path}/{one['id']}")
        await desk.send("POST", f"{path}/{one['id']}/decisions", deed.given, tag)
        return
