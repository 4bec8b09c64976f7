"""What makes a complaint whole: pure decisions."""

from __future__ import annotations

from typing import Final

ANONYMOUS_NAMED: Final = "anonymous-named"
INFORMANT_MISSING: Final = "field-missing"


def informant_fault(anonymous: bool, name: str | None, contact: str | None) -> str | None:
    """The problem of a complaint's informant: one who wants no name has none here, and nobody is
    anonymous by oversight."""
    if anonymous:
        return ANONYMOUS_NAMED if name is not None or contact is not None else None
    return INFORMANT_MISSING if name is None else None


def natural_key(department: str, unit: str, complaint_no: str) -> str:
    """Each body numbers its complaints for itself; the units' desks each their own."""
    sender = f"{department}.{unit}" if department == "unit" else department
    return f"{sender}.{complaint_no}"
