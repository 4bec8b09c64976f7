"""Records of a delivery as they may be shown: how each ended, why, and what it said, masked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from shared.crypto import mask_identity, mask_tax_no, mask_within
from shared.deliveries.feed import Disposition, Feed
from shared.deliveries.receipts import CODES, DISPOSITIONS
from shared.deliveries.tables.refused import content_of


def select(
    chunks: Iterable[tuple[int, bytes]],
    after_no: int,
    disposition: Disposition | None,
    limit: int,
) -> list[tuple[int, Disposition]]:
    """The next records in order, at most ``limit``, read off packed bytes.

    ``chunks``: first record number and dispositions of each, in order.
    """
    wanted = None if disposition is None else CODES[disposition]
    found: list[tuple[int, Disposition]] = []
    for first_no, packed in chunks:
        start = max(after_no + 1 - first_no, 0)
        while start < len(packed) and len(found) < limit:
            index = start if wanted is None else packed.find(wanted, start)
            if index < 0:
                break
            found.append((first_no + index, DISPOSITIONS[packed[index]]))
            start = index + 1
    return found


def shown(feed: Feed, text: bytes) -> Any:
    """A record's content, personal fields masked; where the feed has any, unknown fields too
    (a misspelt name must not expose its value). None for what is not a JSON object."""
    try:
        content = msgspec.json.decode(content_of(text))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(content, dict):
        return _without_identities(content) if not feed.personal else None
    known = {field.encode_name for field in msgspec.structs.fields(feed.record)}
    hidden = {
        name for name in content if name in feed.personal or (feed.personal and name not in known)
    }
    return {
        mask_within(name): value_shown(feed, name, value, name in hidden)
        for name, value in content.items()
    }


def value_shown(feed: Feed, name: str, value: Any, hidden: bool) -> Any:
    """A field's value as it may be shown; ``hidden``: masked for being personal."""
    if name in feed.protected or (hidden and feed.protected and name not in feed.personal):
        return None if value is None else "***"  # its name may only be misspelt
    return _masked(name, value) if hidden else _without_identities(value)


def _without_identities(value: Any) -> Any:
    """A field that is not personal may hold an identity number all the same, by mistake."""
    if isinstance(value, str):
        return mask_within(value)
    if isinstance(value, list):
        return [_without_identities(item) for item in value]
    if isinstance(value, dict):
        return {mask_within(name): _without_identities(item) for name, item in value.items()}
    return value


def _masked(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "tax_no" and isinstance(value, str):
        return mask_tax_no(value)  # only an owner's holds an identity number
    if not isinstance(value, str):
        return "***"
    return mask_identity(value) if len(value) >= 15 else value[:1] + "*" * (len(value) - 1)


def versions(rows: Sequence[tuple[Any, ...]], delivery_id: str, no: int) -> list[Mapping[str, Any]]:
    """Every version of the record's key, oldest first, the current one marked.

    ``rows`` as ``store.versions_of`` gives them; without any, the record itself is the only one.
    """
    if not rows:
        return [{"delivery": delivery_id, "no": no, "revision": 1, "current": True}]
    listed: list[Mapping[str, Any]] = [
        {
            "delivery": str(delivery),
            "no": record_no,
            "revision": revision,
            "current": False,
            "superseded_at": superseded_at.isoformat(),
            "superseded_by": {"delivery": str(by_delivery), "no": by_no},
        }
        for revision, delivery, record_no, _, superseded_at, by_delivery, by_no in rows
    ]
    revision = max((row[0] for row in rows if row[0] is not None), default=0)
    newest = max(rows, key=lambda row: -1 if row[0] is None else row[0])
    listed.append(
        {
            "delivery": str(newest[5]),
            "no": newest[6],
            "revision": revision + 1,
            "current": True,
        }
    )
    return listed
