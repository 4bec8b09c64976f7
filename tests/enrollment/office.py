"""An officer at the door to leads, as tests use one."""

from __future__ import annotations

from typing import Any

import httpx

from tests.enrollment.conftest import World

CITY, COUNTY, OTHER = "L-SJ", "210502", "210503"


class Office:
    """One officer at the door; remembers nothing but who it is."""

    def __init__(
        self, world: World, who: str, department: str = "unit", units: tuple[str, ...] | None = None
    ) -> None:
        self.world, self.who, self.department = world, who, department
        self.units = (COUNTY,) if units is None and department == "unit" else units

    async def call(
        self, method: str, path: str, body: Any = None, etag: str | None = None, **query: Any
    ) -> httpx.Response:
        headers = self.world.headers(self.department, self.units, self.who)
        if etag is not None:
            headers["If-Match"] = etag
        return await self.world.http.request(method, path, json=body, headers=headers, params=query)

    async def read(self, lead_id: str) -> dict[str, Any]:
        return good(await self.call("GET", f"/leads/{lead_id}/work"))

    async def act(self, method: str, lead_id: str, what: str, **body: Any) -> dict[str, Any]:
        """Look, then do it with what was seen."""
        return good(await self.try_to(method, lead_id, what, **body))

    async def try_to(self, method: str, lead_id: str, what: str, **body: Any) -> httpx.Response:
        seen = await self.call("GET", f"/leads/{lead_id}/work")
        return await self.call(method, f"/leads/{lead_id}/{what}", body, seen.headers["etag"])

    async def listed(self, **query: Any) -> list[dict[str, Any]]:
        """Every page of the list, two leads at a time."""
        found: list[dict[str, Any]] = []
        answer = good(await self.call("GET", "/lead-work", limit=2, **query))
        while True:
            found += answer["items"]
            if answer["next"] is None:
                return found
            path = answer["next"].removeprefix("/enrollment/v1")
            headers = self.world.headers(self.department, self.units, self.who)
            answer = good(await self.world.http.get(path, headers=headers))


def good(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = answer.json()
    return found


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def only_lead(world: World) -> str:
    [row] = await world.rows("SELECT lead_id FROM leads WHERE NOT void ORDER BY lead_id")
    return str(row["lead_id"])
