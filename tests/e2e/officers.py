"""Officers at work on leads, through the public API."""

from __future__ import annotations

from typing import Any

from kuomian.client import Api

LEADS = "/enrollment/v1/leads"


class Office:
    """One officer, who looks at a lead before every edit."""

    def __init__(self, api: Api) -> None:
        self.api = api

    async def act(self, method: str, lead_id: str, what: str, **given: Any) -> dict[str, Any]:
        """Edit a lead as it stands now; returns the work on it. Raises Refused, Unreachable."""
        path = f"{LEADS}/{lead_id}"
        seen = await self.api.request("GET", f"{path}/work")
        answer = await self.api.request(
            method, f"{path}/{what}", json=given, headers={"If-Match": seen.headers["ETag"]}
        )
        worked: dict[str, Any] = answer.json()
        return worked

    async def story(self, lead_id: str) -> list[dict[str, Any]]:
        """The lead's history, sentence by sentence."""
        told: list[dict[str, Any]] = (await self.api.get(f"{LEADS}/{lead_id}/story"))["items"]
        return told
