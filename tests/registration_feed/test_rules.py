from __future__ import annotations

from datetime import date

import pytest

from registration_feed.rules import effective_on, fact_kind, is_correction

MAY, JUNE, JULY = date(2008, 5, 6), date(2008, 6, 2), date(2008, 7, 1)


@pytest.mark.parametrize(
    ("event", "event_on", "before", "before_on", "correction"),
    [
        ("registered", MAY, None, None, False),
        ("registered", MAY, "registered", MAY, True),
        ("registered", JUNE, "registered", MAY, True),
        ("changed", JUNE, "registered", MAY, False),
        ("changed", JULY, "changed", JUNE, False),
        ("changed", JUNE, "changed", JUNE, True),
        ("changed", MAY, "changed", JUNE, True),
        ("deregistered", JUNE, "changed", MAY, False),
        ("deregistered", JULY, "deregistered", JUNE, True),
        ("changed", MAY, "deregistered", JUNE, False),
    ],
)
def test_the_same_event_again_corrects_and_another_is_news(
    event: str, event_on: date, before: str | None, before_on: date | None, correction: bool
) -> None:
    assert is_correction(event, event_on, before, before_on) is correction


@pytest.mark.parametrize(
    ("event_on", "correction", "before_on", "counts_from"),
    [
        (MAY, False, None, MAY),
        (JUNE, False, MAY, JUNE),
        (MAY, True, JUNE, MAY),
        (MAY, False, JUNE, JUNE),
    ],
)
def test_news_takes_effect_no_earlier_than_what_it_replaces(
    event_on: date, correction: bool, before_on: date | None, counts_from: date
) -> None:
    assert effective_on(event_on, correction, before_on) == counts_from


def test_each_event_has_its_fact() -> None:
    assert fact_kind("deregistered") == "enterprise-deregistered"
