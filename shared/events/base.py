"""What every fact is: a past-tense statement carrying the whole new state of its subject.

Guarantees (architecture §5, "Facts"):

* one bus message is one fact; a fact is never a delta;
* ``revision`` grows by one with each new state of ``subject`` at its producer, so a
  consumer may ignore whatever is not higher than what it has seen;
* ``key`` chooses the partition, hence order: facts with one key arrive in order;
* no identity number, and no tax number containing one, ever stands in a fact.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeAlias

import msgspec

Moment: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
"""An aware date and time; one without its time zone is refused when a fact is read."""


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Base of every fact; subclasses add the state of their subject.

    ``correction`` says which date an undone state is taken back at: a corrected state never
    was true (taken back at its own effective date), a changed state was true until now (taken
    back at the new effective date).
    """

    producer: ClassVar[str]
    """The one service that publishes it, e.g. ``tax-feed``."""
    kind: ClassVar[str]
    """What happened, past tense, e.g. ``arrears-recorded``."""
    version: ClassVar[int] = 1
    title_zh: ClassVar[str]
    leads: ClassVar[str] = ""
    """What it does to leads, for dry runs to tell (F6): ``opened``, ``advanced``, ``closed``; of a
    producer that has none, ``may_open`` or ``may_close``, as the register will have it."""

    key: str
    """Partition key: employer key (``oc:``…), ``employer_id``, ``person_id`` or feed name."""
    subject: str
    """Whose state this is; ``revision`` counts the states of this subject."""
    revision: int
    delivery_id: str | None = None
    """The delivery that caused it, when a delivery did."""
    record_no: int | None = None
    """The record in that delivery, counted from 1."""
    part: str = ""
    """Tells apart several facts of one kind caused by one record."""
    recorded_at: Moment
    """When the producer recorded it, by the producer's clock, aware UTC."""
    correction: bool = False

    @property
    def fact_id(self) -> str:
        """Delivery, record number, kind: the same record always makes the same id."""
        cause = self.delivery_id or f"{self.producer}/{self.subject}/{self.revision}"
        tail = f":{self.part}" if self.part else ""
        return f"{cause}:{self.record_no or 0}:{self.kind}{tail}"

    @classmethod
    def type_name(cls) -> str:
        """CloudEvents type, e.g. ``tax-feed.arrears-recorded.v1``."""
        return f"{cls.producer}.{cls.kind}.v{cls.version}"

    @classmethod
    def topic(cls) -> str:
        """The producer's one topic, e.g. ``tax-feed.events``."""
        return topic_of(cls.producer)


def topic_of(producer: str) -> str:
    """Each producer publishes all its facts on one topic."""
    return f"{producer}.events"


_ENCODER = msgspec.json.Encoder()


def encode(fact: Fact) -> bytes:
    """The fact's data as it travels: compact JSON."""
    return _ENCODER.encode(fact)


def json_schema(fact: type[Fact]) -> dict[str, Any]:
    """JSON Schema (2020-12) of the fact's data."""
    return msgspec.json.schema(fact)
