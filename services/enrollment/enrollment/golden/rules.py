"""What is believed of an employer, whose word it is, and who contradicts it. Pure.

For each field the plan ranks the sources (``field_precedence``). The value of the best rank
counts; within a rank the newest; what was struck off speaks only where nobody standing does.
Everything else that is said stays beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from enrollment.identity.rules import plain

STANDING = "standing"
STRUCK_OFF = "struck-off"
WITHDRAWN = "withdrawn"

REGISTER = "register"
"""The source of what the register's own feeds tell."""
_REGISTER_FEEDS = frozenset({"employers", "employer-applications"})
_REGISTRIES = frozenset({"business-licences", "organisation-codes"})
"""Who ends an enterprise, not only its dealings with one office."""
_ENDS = frozenset({*_REGISTRIES, "tax-registrations", REGISTER})
"""Whose entries end."""

Ranks: TypeAlias = Mapping[str, Mapping[str, int]]
"""Field → source → rank, 0 the best. A field without ranks believes the newest."""


class Sighting(NamedTuple):
    """The state of one subject of a source, as it speaks of an employer."""

    subject: str
    revision: int
    employer_id: str | None
    key: str | None
    department: str
    feed: str
    status: str
    name: str | None
    unit: str
    address: str | None
    legal_rep_key: str | None
    founded_on: date | None
    reg_type: str | None
    industry: str | None
    household: bool | None
    org_code: str | None
    licence_no: str | None
    owner_key: str | None
    headcount: int | None
    period: str | None
    effective_on: date
    recorded_at: datetime
    delivery_id: str | None
    record_no: int | None

    @property
    def source(self) -> str:
        """The feed, or ``register`` for any of the register's."""
        return REGISTER if self.feed in _REGISTER_FEEDS else self.feed

    @property
    def keys(self) -> list[str]:
        """The numbers others may know the employer by."""
        return [
            key
            for key in (
                self.org_code and f"oc:{self.org_code}",
                self.licence_no and f"lic:{self.licence_no}",
                self.owner_key,
            )
            if key
        ]


FIELDS = (
    "name",
    "unit",
    "address",
    "legal_rep_key",
    "org_code",
    "licence_no",
    "reg_type",
    "industry",
    "household",
    "founded_on",
    "headcount",
)
_AT = {field: Sighting._fields.index(field) for field in FIELDS}
_UNSAID = frozenset({None})
_ALL_SAID = itemgetter(*_AT.values())
# Numbers first: they are what differs most.
_TELLING_APART = itemgetter(
    *sorted((at for field, at in _AT.items() if field != "headcount"), reverse=True)
)


def text_of(value: object) -> str:
    """A field's value as it is kept and shown."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def said(sightings: Sequence[Sighting], field: str, ranks: Ranks) -> list[Sighting]:
    """Those that say something of a field, the one that is believed first."""
    return sorted(_speaking(sightings, field), key=_order(ranks.get(field, {})))


def _speaking(sightings: Sequence[Sighting], field: str) -> list[Sighting]:
    at = _AT[field]
    return [one for one in sightings if one[at] is not None and one.status != WITHDRAWN]


def _order(rank: Mapping[str, int]) -> Callable[[Sighting], tuple[bool, int, int, float, str]]:
    last = len(rank)
    return lambda one: (
        one.status == STRUCK_OFF,
        rank.get(one.source, last),
        -one.effective_on.toordinal(),
        -one.recorded_at.timestamp(),
        one.subject,
    )


def differing(sightings: Sequence[Sighting]) -> list[str]:
    """The fields of which these do not all say the same, as far as they say anything."""
    if len(sightings) < 2:
        return []
    if len(sightings) == 2:  # the most there are, nearly always
        one, other = map(_ALL_SAID, sightings)
        return [
            field
            for field, told, said in zip(FIELDS, one, other, strict=True)
            if told != said and told is not None and said is not None
        ]
    columns = zip(*map(_ALL_SAID, sightings), strict=True)
    return [
        field
        for field, column in zip(FIELDS, columns, strict=True)
        if len(set(column) - _UNSAID) > 1
    ]


def tell_apart_anew(added: Iterable[Sighting], before: Sequence[Sighting]) -> bool:
    """Whether these say anything by which an employer is told from others that those do not."""
    known = list(map(_TELLING_APART, before))
    for one in added:
        for at, value in enumerate(_TELLING_APART(one)):
            if value is not None and all(other[at] != value for other in known):
                return True
    return False


def golden(
    sightings: Sequence[Sighting], ranks: Ranks, fields: Iterable[str] = FIELDS
) -> dict[str, Sighting]:
    """Field → who is believed, for every field of which anybody says anything."""
    believed = {}
    for field in fields:
        speaking = _speaking(sightings, field)
        if len(speaking) > 1:
            believed[field] = min(speaking, key=_order(ranks.get(field, {})))
        elif speaking:
            believed[field] = speaking[0]
    return believed


def agreed(sightings: Sequence[Sighting], fields: Iterable[str]) -> dict[str, Sighting]:
    """Field → anybody who says it, for fields of which nobody says anything else."""
    found = {}
    for field in fields:
        at = _AT[field]
        for one in sightings:
            if one[at] is not None and one.status != WITHDRAWN:
                found[field] = one
                break
    return found


def value_of(sighting: Sighting, field: str) -> object:
    """What a sighting says of a field."""
    value: object = sighting[_AT[field]]
    return value


class Outside(NamedTuple):
    """What bears on conflicts and is not said by any sighting."""

    active_count: int = 0
    """Insured persons on active service, by the register."""
    foreign_keys: Sequence[tuple[str, str]] = ()
    """(key, employer whose it is) of numbers records about this employer carried."""


class Conflict(NamedTuple):
    """A contradiction: its kind, and who says what."""

    kind: str
    evidence: tuple[tuple[str, str, str], ...]
    """(source, value, subject), sorted."""


KINDS = (
    "address-differs",
    "unit-differs",
    "name-differs",
    "two-codes",
    "reg-type-differs",
    "private-firm-differs",
    "industry-differs",
    "struck-off-elsewhere",
    "deregistered-with-insured",
)


def conflicts_of(
    sightings: Sequence[Sighting],
    ranks: Ranks,
    outside: Outside,
    ownership_of: Callable[[str], str],
    *,
    alike: bool = False,
) -> list[Conflict]:
    """Every contradiction about an employer. The order of ``sightings`` does not matter.
    ``alike``: they are known to differ in nothing."""
    spoken = [one for one in sightings if one.status != WITHDRAWN]
    standing = [one for one in spoken if one.status == STANDING]
    fields = () if alike else differing(standing)
    found = [
        _differing(kind, standing, field, ranks, same)
        for field, (kind, same) in (_COMPARED.items() if fields else ())
        if field in fields
    ]
    found.append(_two_codes(spoken, ranks, outside))
    if "reg_type" in fields:
        found.append(_reg_type(standing, ranks, ownership_of))
    if len(standing) < len(spoken):
        found += _ended(spoken, outside)
    return [conflict for conflict in found if conflict is not None]


def _latest(sightings: Sequence[Sighting], field: str, ranks: Ranks) -> list[Sighting]:
    """The newest word of each source the plan ranks for the field, of all where it ranks none."""
    rank = ranks.get(field, {})
    latest: dict[str, Sighting] = {}
    at = _AT[field]
    for one in sightings:
        source = one.source
        if one[at] is None or (rank and source not in rank):
            continue
        before = latest.get(source)
        if before is None or _newness(one) > _newness(before):
            latest[source] = one
    return list(latest.values())


def _newness(one: Sighting) -> tuple[date, datetime, str]:
    return one.effective_on, one.recorded_at, one.subject


def _differing(
    kind: str,
    sightings: Sequence[Sighting],
    field: str,
    ranks: Ranks,
    same: Callable[[str, str], bool],
) -> Conflict | None:
    latest = _latest(sightings, field, ranks)
    values = sorted({text_of(value_of(one, field)) for one in latest})
    if all(same(values[0], other) for other in values[1:]):
        return None
    return _conflict(kind, [(one, text_of(value_of(one, field))) for one in latest])


def _conflict(kind: str, told: Collection[tuple[Sighting, str]]) -> Conflict:
    return Conflict(kind, tuple(sorted((one.source, value, one.subject) for one, value in told)))


def _two_codes(sightings: Sequence[Sighting], ranks: Ranks, outside: Outside) -> Conflict | None:
    """Organisation codes of two firms among what is taken for one; or a number of another's."""
    if not outside.foreign_keys and len({one.org_code for one in sightings} - _UNSAID) < 2:
        return None
    told = [(one, text_of(one.org_code)) for one in _latest(sightings, "org_code", ranks)]
    differ = len({code for _, code in told}) > 1
    evidence = _conflict("two-codes", told if differ else []).evidence
    foreign = tuple(("link", key, owner) for key, owner in sorted(outside.foreign_keys))
    return Conflict("two-codes", evidence + foreign) if evidence or foreign else None


def _reg_type(
    sightings: Sequence[Sighting], ranks: Ranks, ownership_of: Callable[[str], str]
) -> Conflict | None:
    """Registered as one economic type here and another there; apart where only one of them says
    that it is a private firm (O15)."""
    latest = _latest(sightings, "reg_type", ranks)
    types = {text_of(one.reg_type) for one in latest}
    if len(types) < 2:
        return None
    private = {ownership_of(code) == "private" for code in types}
    kind = "private-firm-differs" if len(private) > 1 else "reg-type-differs"
    return _conflict(kind, [(one, text_of(one.reg_type)) for one in latest])


def _ended(sightings: Sequence[Sighting], outside: Outside) -> list[Conflict | None]:
    """Struck off by one and standing with another; struck off with people still insured there."""
    state: dict[str, Sighting] = {}
    for one in sightings:
        if one.source not in _ENDS:
            continue
        before = state.get(one.source)
        # One entry standing is enough for an office.
        if before is None or _standing_first(one) > _standing_first(before):
            state[one.source] = one
    gone = [one for one in state.values() if one.status == STRUCK_OFF]
    if not gone:
        return []
    found: list[Conflict | None] = []
    if len(gone) < len(state):
        told = [(one, one.status) for one in state.values()]
        found.append(_conflict("struck-off-elsewhere", told))
    ended = [(one, one.status) for one in gone if one.source in _REGISTRIES]
    if ended and outside.active_count > 0:
        found.append(_conflict("deregistered-with-insured", ended))
    return found


def _standing_first(one: Sighting) -> tuple[bool, date, datetime, str]:
    return one.status == STANDING, *_newness(one)


def _same(one: str, other: str) -> bool:
    return one == other


def _same_text(one: str, other: str) -> bool:
    return plain(one) == plain(other)


def _same_address(one: str, other: str) -> bool:
    """One may name the city or the room that the other leaves out."""
    short, long = sorted((plain(one), plain(other)), key=len)
    return short in long


_COMPARED: Mapping[str, tuple[str, Callable[[str, str], bool]]] = {
    "address": ("address-differs", _same_address),
    "unit": ("unit-differs", _same),
    "name": ("name-differs", _same_text),
    "industry": ("industry-differs", _same),
}
"""Field → the kind of contradiction about it, and what is alike enough to be none."""
