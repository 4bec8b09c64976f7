"""The numbers in records, read once and the same way for every feed before its judge sees them.

A field says what number it holds (``Meta(extra=numbered("org-code"))``). Each is read as
``shared.identifiers.read`` reads it, over the whole chunk: the judge is given records in which
every number that can be read has its normal form, and what is wrong with the others
(``JudgeContext.numbers``). What was repaired, and what is to be noted of a number that was taken,
is kept with the record (``shared.deliveries.remarks``). Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from operator import attrgetter
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_type_hints

import msgspec

from shared.deliveries.feed import Findings, Judge, JudgeContext, RowProblem, Verdict
from shared.deliveries.shape import decode_records
from shared.deliveries.tables.fields import unwrapped
from shared.deliveries.tables.refused import is_refused
from shared.deliveries.tables.spec import Repair
from shared.identifiers import IDENTITY_CARD, NUMBER_OF, Kind, Reading, read
from shared.identifiers.batch_reading import read_others

NumberKind: TypeAlias = Kind | Literal["by-identity-kind"]
"""``by-identity-kind``: as the record's ``identity_kind`` says."""

_EXTRA: Final = "number"
_PAPER: Final = attrgetter("identity_kind")
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
"""Fields as they are written: what is not a number here stays to the letter."""
_TEXT: Final = msgspec.json.Decoder(str)


def numbered(kind: NumberKind) -> dict[str, Any]:
    """What a field's ``Meta`` says of the number it holds."""
    return {_EXTRA: kind}


class NumberNote(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Something to look at in a number that was taken."""

    field: str
    code: str
    zh: str
    en: str


class Remarks(msgspec.Struct, frozen=True, array_like=True):
    """What is to be said of one record's numbers."""

    repairs: list[Repair]
    notes: list[NumberNote]

    def after(self, earlier: Remarks | None) -> Remarks:
        """The same with what was said of the record before."""
        if earlier is None:
            return self
        return Remarks(earlier.repairs + self.repairs, earlier.notes + self.notes)


class NumbersRead(NamedTuple):
    """A chunk's records with the numbers they hold read."""

    records: Sequence[Any]
    problems: Mapping[str, Findings]
    """Field → one per record: what is wrong with its number, None where it is right or none is
    given."""
    remarks: Mapping[int, Remarks]
    """By index, for the records there is something to say of."""


@cache
def number_fields(shape: type[msgspec.Struct]) -> Mapping[str, NumberKind]:
    """Field → the kind of number it holds, for those that hold one."""
    found: dict[str, NumberKind] = {}
    for name, hint in get_type_hints(shape, include_extras=True).items():
        _, metas = unwrapped(hint)
        said = (meta.extra or {} for meta in metas)
        kind = next((extra[_EXTRA] for extra in said if _EXTRA in extra), None)
        if kind is not None:
            found[name] = kind
    return found


def judge_records(
    judge: Judge, records: Sequence[Any], ctx: JudgeContext
) -> tuple[list[Verdict], Mapping[int, Remarks]]:
    """The judge's verdicts on records whose numbers have been read, and what is to be said of
    these, by index. The one way to call a feed's judge."""
    if not records:
        return [], {}
    found = read_numbers(records, ctx.today)
    return judge(found.records, replace(ctx, numbers=found.problems)), found.remarks


def read_numbers(records: Sequence[Any], today: date) -> NumbersRead:
    """Read the numbers of records, at least one and all of one shape; nobody is born after
    ``today``."""
    count = len(records)
    problems: dict[str, Findings] = {}
    normal: dict[int, dict[str, str]] = defaultdict(dict)
    remarks: dict[int, Remarks] = defaultdict(lambda: Remarks([], []))
    shape: type[msgspec.Struct] = type(records[0])
    for field, kind in number_fields(shape).items():
        values = list(map(attrgetter(field), records))
        wrong: Findings = [None] * count
        problems[field] = wrong
        for at, reading in _others(kind, values, records, today).items():
            if reading.problem is not None or reading.normal is None:
                wrong[at] = reading.problem
                continue
            if reading.repairs:
                normal[at][field] = reading.normal
                remarks[at].repairs.append(_repair(field, values[at], reading))
            if reading.note is not None:
                code, zh, en = reading.note
                remarks[at].notes.append(NumberNote(field, code, zh, en))
    if normal:
        records = [
            msgspec.structs.replace(record, **normal[at]) if at in normal else record
            for at, record in enumerate(records)
        ]
    return NumbersRead(records, problems, remarks)


def _others(
    kind: NumberKind, values: Sequence[str | None], records: Sequence[Any], today: date
) -> dict[int, Reading]:
    if kind != "by-identity-kind":
        return read_others(kind, values, today)
    papers = list(map(_PAPER, records))
    found: dict[int, Reading] = {}
    if papers.count(IDENTITY_CARD) == len(papers):
        return read_others("identity-no", values, today)
    for paper in set(papers):
        theirs = [
            value if one == paper else None for one, value in zip(papers, values, strict=True)
        ]
        found |= read_others(NUMBER_OF[paper], theirs, today)
    return found


def _repair(field: str, original: str | None, reading: Reading) -> Repair:
    rule = "+".join(dict.fromkeys(step.rule for step in reading.repairs))
    return Repair(field, original or "", reading.normal, rule)


def decode_numbered(
    shape: type[msgspec.Struct], texts: Sequence[bytes], max_bytes: int
) -> tuple[list[Any], dict[int, list[Repair]]]:
    """``decode_records``, and once more, with the normal form in its place, where a number's
    notation is all that is wrong with its field; with the repairs made, by index."""
    decoded: list[Any] = list(decode_records(shape, texts, max_bytes))
    repairs: dict[int, list[Repair]] = {}
    for at, result in enumerate(decoded):
        if isinstance(result, tuple) and not is_refused(texts[at]):
            again = _read_again(shape, texts[at], result, max_bytes)
            if again is not None:
                decoded[at], repairs[at] = again
    return decoded, repairs


def _read_again(
    shape: type[msgspec.Struct], text: bytes, faults: Sequence[RowProblem], max_bytes: int
) -> tuple[Any, list[Repair]] | None:
    unmatched = {one.pointer[1:] for one in faults if one.code == "pattern-mismatch"}
    wanted = [one for one in number_fields(shape).items() if one[0] in unmatched]
    if not wanted:
        return None
    content = _OBJECT.decode(text)
    repairs = []
    for field, declared in wanted:
        kind = _kind_told(content) if declared == "by-identity-kind" else declared
        value = _TEXT.decode(content[field])
        reading = None if kind is None else read(kind, value)
        if reading is not None and reading.repairs:
            content[field] = msgspec.Raw(msgspec.json.encode(reading.normal))
            repairs.append(_repair(field, value, reading))
    if not repairs:
        return None
    (result,) = decode_records(shape, [msgspec.json.encode(content)], max_bytes)
    return result, repairs


def _kind_told(content: Mapping[str, msgspec.Raw]) -> Kind | None:
    """The kind of the number of the paper a record names; None where it names none there is."""
    if "identity_kind" not in content:
        return NUMBER_OF[IDENTITY_CARD]
    try:
        said = _TEXT.decode(content["identity_kind"])
    except msgspec.DecodeError:
        return None
    return next((kind for paper, kind in NUMBER_OF.items() if paper == said), None)
