"""Who sees which delivery, and who may take one back."""

from __future__ import annotations

from typing import Final

from shared.auth import Caller
from shared.deliveries.store import DeliveryRow
from shared.problems import problem

SEE_ALL: Final = ("agency", "auditor", "operator")
"""Departments that see every delivery of a service."""


def may_see(caller: Caller, row: DeliveryRow) -> bool:
    """The department that sent it sees a delivery (a unit-scoped caller its own units' ones), and
    agency, auditor and operator see all."""
    if caller.units is None:
        return caller.is_any(*SEE_ALL) or caller.department == row.department
    return is_own(caller, row)


def is_own(caller: Caller, row: DeliveryRow) -> bool:
    """Whether the caller's department sent it, for no unit but the caller's own."""
    if caller.department != row.department:
        return False
    return caller.units is None or (row.units is not None and set(row.units) <= caller.units)


def require_content(caller: Caller, row: DeliveryRow, protected: bool) -> None:
    """Raise ``forbidden`` unless the caller may have what was sent as it was sent: the sender,
    agency and auditor; where a feed protects somebody (an informant), the sender alone. The
    operator runs the installation and has no business with it."""
    allowed = ("sender",) if protected else ("agency", "auditor", "sender")
    if caller.is_any("operator") or (protected and not is_own(caller, row)):
        raise problem("forbidden", department=caller.department, allowed=", ".join(allowed))


def may_change(caller: Caller, row: DeliveryRow) -> bool:
    """Whether the caller may take the delivery back or decide on its records: who sent it, and the
    agency for the whole city."""
    return is_own(caller, row) or (caller.units is None and caller.is_any("agency"))
