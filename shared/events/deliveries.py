"""The fact every receiving service publishes about each delivery, and once more when held
records resolve: what reporting judges "feed in, late, missing" by (O94, F1, F8)."""

from __future__ import annotations

from typing import ClassVar, Final

from shared.events.base import Fact, Moment

BY_OFFICER: Final = "officer"
"""The ``mode`` of what officers decided on one by one: no duty to deliver is met by it."""


class DeliveryReceived(Fact, frozen=True, kw_only=True):
    """A delivery was completely dealt with; sent = applied + duplicate + rejected + held."""

    kind: ClassVar[str] = "delivery-received"
    title_zh: ClassVar[str] = "报送已受理"

    feed: str
    department: str
    unit: str | None = None
    period: str
    mode: str = "append"
    """``append`` adds and corrects; ``replace`` also ends what the list no longer names;
    ``officer`` is one record that officers decided on: nobody's periodic delivery, whatever its
    period and department."""
    received_at: Moment
    """When the last byte came, by our clock; lateness is judged by nothing else."""
    clock: str = "real"
    body_sha256: str
    sent_count: int
    applied_count: int
    duplicate_count: int
    rejected_count: int
    held_count: int
    nil: bool = False
    """A signed "nothing this period" (F2)."""
    withdrawn: bool = False
    """Taken back or superseded: its records count as never received."""
    superseded_by: str | None = None
    """The delivery that took its place, where ``withdrawn`` is for that: a correction, which is
    as late as what it corrects."""


class RegistrationFeedDeliveryReceived(DeliveryReceived, frozen=True, kw_only=True):
    """A delivery to registration-feed."""

    producer: ClassVar[str] = "registration-feed"


class TaxFeedDeliveryReceived(DeliveryReceived, frozen=True, kw_only=True):
    """A delivery to tax-feed."""

    producer: ClassVar[str] = "tax-feed"


class EnrollmentDeliveryReceived(DeliveryReceived, frozen=True, kw_only=True):
    """A delivery to enrollment."""

    producer: ClassVar[str] = "enrollment"


class ReportingDeliveryReceived(DeliveryReceived, frozen=True, kw_only=True):
    """A delivery to reporting."""

    producer: ClassVar[str] = "reporting"
