"""One function per record the tax office pushes, with sensible defaults."""

from __future__ import annotations

from datetime import date
from typing import Any

from shared.deliveries.feed import Feed
from shared.identifiers import make_identity_no, make_org_code
from tax_feed.feeds import ARREARS, EMPLOYER_CHECKS, RECEIPTS

OWNER = make_identity_no("210502", date(1970, 1, 1), 985)
HOUSEHOLD = OWNER + "00"


def tax_no(number: int) -> str:
    return "210502" + make_org_code(f"PDY{number:05d}")


def key(number: int = 1) -> str:
    return f"oc:{make_org_code(f'PDY{number:05d}')}"


def check(number: int = 1, **change: Any) -> dict[str, Any]:
    """Twelve on the tax office's list of May 2008, seven insured."""
    return {**EMPLOYER_CHECKS.example, "tax_no": tax_no(number), **change}


def receipt(number: int = 1, **change: Any) -> dict[str, Any]:
    """3,360 yuan pooled, 560 of it arrears, and 1,344 individual, on 3 June 2008."""
    changes = {"receipt_no": f"JK200806-{number:06d}", "tax_no": tax_no(number), **change}
    return {**RECEIPTS.example, **changes}


def arrears(number: int = 1, **change: Any) -> dict[str, Any]:
    """560 yuan owed in 平山区 at the end of May 2008."""
    return {**ARREARS.example, "org_code": make_org_code(f"PDY{number:05d}"), **change}


def made(feed: Feed, number: int = 1, **change: Any) -> dict[str, Any]:
    """The feed's example, about employer ``number``; ``None`` leaves a field out."""
    record = {**feed.example, "tax_no": tax_no(number), **change}
    return {name: value for name, value in record.items() if value is not None}
