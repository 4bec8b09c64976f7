"""Pure decisions of registration-feed: no IO, no clock, no framework."""

from __future__ import annotations

from datetime import date, timedelta


def fact_kind(event: str) -> str:
    """The kind of fact an event becomes: who lost its licence is off the register, too."""
    return "enterprise-deregistered" if event == "revoked" else f"enterprise-{event}"


def enrol_by(licensed_on: date, limit_days: int) -> date:
    """The last day to enrol (O50): so many days after the licence or certificate."""
    return licensed_on + timedelta(days=limit_days)


def is_correction(
    event: str, event_on: date, previous_event: str | None, previous_on: date | None
) -> bool:
    """Whether a new state says the old one never was true.

    The same event stated again with other content corrects it. Another event (a change after
    the registration) is news, and so is a further change on a later day.
    """
    if previous_event is None or previous_on is None or event != previous_event:
        return False
    return event != "changed" or event_on <= previous_on


def effective_on(event_on: date, correction: bool, previous_on: date | None) -> date:
    """The day a state counts from.

    What is news takes effect no earlier than the state it replaces: a change that reaches us
    after the deregistration it preceded does not bring the enterprise back for the days between.
    """
    if correction or previous_on is None:
        return event_on
    return max(event_on, previous_on)
