"""Two officers at one row: ETag says which state was seen, If-Match that it still is (RFC 9110).

Whatever officers edit carries a version, an integer of its row that every edit raises by one. An
answer shows it as a strong, opaque ETag; an edit has to name the one it saw.

    @router.get("/things/{name}")
    async def get_thing(name: str, tx: ReadTx, response: Response) -> Thing:
        thing = …
        set_etag(response, f"thing:{name}", thing.version)
        return thing

    @router.put("/things/{name}")
    async def put_thing(name: str, new: Thing, seen: SeenDep, …) -> None:
        thing = await store.lock_thing(tx, name)           # SELECT … FOR UPDATE
        seen.require(f"thing:{name}", thing.version)       # 412 when somebody was faster
        require_other_person(caller, thing.proposed_by)    # 403: the maker does not check
        await store.write_thing(tx, name, new, thing.version + 1)
        set_etag(response, f"thing:{name}", thing.version + 1)

The row has to be locked before ``require``: otherwise two edits may pass it side by side.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Response

from shared.auth import Caller
from shared.problems import problem


def etag_of(resource: str, version: int) -> str:
    """The strong ETag, quotes included, of a version of a resource.

    ``resource`` names it within the service (``lead-work:<lead_id>``), so that no tag of one
    passes for another's. The tag tells nothing else: whoever sees it cannot make up the next one
    by counting.
    """
    digest = hashlib.sha256(f"{resource}\n{version}".encode()).hexdigest()
    return f'"{digest[:20]}"'


def set_etag(response: Response, resource: str, version: int) -> str:
    """Tell the version of the resource that the answer shows, and return its ETag."""
    response.headers["ETag"] = tag = etag_of(resource, version)
    return tag


@dataclass(frozen=True, slots=True)
class Seen:
    """The states the caller says it saw."""

    tags: frozenset[str]

    def require(self, resource: str, version: int) -> None:
        """Raise the problem ``precondition-failed``, with the present ETag as header and as member
        ``etag``, unless the present version is one the caller saw. Weak tags never match."""
        now = etag_of(resource, version)
        if now not in self.tags:
            raise problem(
                "precondition-failed", headers={"ETag": now}, extra={"etag": now}, etag=now
            )


async def seen_states(
    if_match: Annotated[
        str | None,
        Header(
            max_length=1000,
            description="所见内容的 ETag；缺少 428，已被他人修改 412 · "
            "the ETag of what you saw; 428 without it, 412 when it was changed since",
        ),
    ] = None,
) -> Seen:
    """Dependency reading ``If-Match``; raises the problem ``precondition-required`` without it.

    ``*`` counts as missing: it does not say what was seen, and would undo another's edit.
    """
    tags = frozenset(tag.strip() for tag in (if_match or "").split(",") if tag.strip())
    if not tags or "*" in tags:
        raise problem("precondition-required")
    return Seen(tags)


SeenDep = Annotated[Seen, Depends(seen_states)]
"""``seen: SeenDep`` in a route: it edits only what the caller has seen."""


def require_other_person(caller: Caller, maker: str | None) -> None:
    """Raise the problem ``same-person`` when the caller made what it is about to check.

    ``maker``: the ``subject`` of the caller that made it, None where nobody did.
    """
    if caller.subject == maker:
        raise problem("same-person")
