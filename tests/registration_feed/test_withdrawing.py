"""Licences taken back never were registered; an earlier state stands again from its own day."""

from __future__ import annotations

from datetime import date

from shared.events.registration_feed import EnterpriseDeregistered, EnterpriseRegistered
from tests.registration_feed.door import Door
from tests.registration_feed.test_deliveries import FACTS, licence, push


async def withdraw(door: Door, delivery_id: str) -> None:
    answer = await door.http.post(
        f"/deliveries/{delivery_id}/withdrawal",
        json={"reason": "wrong file"},
        headers=door.token(),
    )
    assert answer.status_code == 202, answer.text
    await door.worker.drain()


async def test_a_licence_without_a_version_is_deregistered_from_its_first_day(door: Door) -> None:
    first = await push(door, licence(1), licence(2))
    await withdraw(door, first["delivery"])
    gone = await door.facts(EnterpriseDeregistered)
    assert [(one.revision, one.correction, one.effective_on, one.withdrawn) for one in gone] == [
        (2, True, date(2008, 5, 6), True)
    ] * 2


async def test_a_change_taken_back_restores_the_registration(door: Door) -> None:
    await push(door, licence())
    change = licence(event="changed", event_on="2008-05-20", unit="210503")
    second = await push(door, change)
    await withdraw(door, second["delivery"])
    facts = await door.facts(*FACTS)
    assert [type(fact) for fact in facts][-1] is EnterpriseRegistered
    last = facts[-1]
    assert (last.revision, last.unit, last.correction) == (3, "210502", True)
    assert last.effective_on == date(2008, 5, 6)
