"""A feed's record as a table may state it: kinds of fields, headings, words for codes. Pure."""

from __future__ import annotations

import re
import types
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from shared.deliveries.feed import Feed
from shared.deliveries.tables.characters import folded, heading_key
from shared.deliveries.tables.spec import FieldSpec, Kind
from shared.deliveries.tables.usual import USUAL, USUAL_LABELS
from shared.plan import Plan

_MONTH: Final = "2008-05"
_DEKAD: Final = "2008-05-D1"
_UNIT_FIELDS: Final = re.compile(r"(.*_)?unit")
_RATE: Final = re.compile("%|率")
"""Of a decimal number's description, unless it also says yuan: no unit of money is about it."""
_BRACKETED: Final = re.compile(r"[（(][^（）()]*[）)]")
_LABEL: Final = re.compile(r"(?P<code>[0-9A-Za-z_-]+) (?P<words>[^A-Za-z0-9,，;；]+)")


def field_specs(feed: Feed, plan: Plan) -> tuple[FieldSpec, ...]:
    """Every field of the feed's record, in its order."""
    return _specs(feed.record, feed, plan)


def _specs(
    record: type[msgspec.Struct], feed: Feed | None, plan: Plan | None
) -> tuple[FieldSpec, ...]:
    hints = get_type_hints(record, include_extras=True)
    found = []
    for one in msgspec.structs.fields(record):
        given = feed.headings.get(one.encode_name, ()) if feed else ()
        personal = bool(feed and one.encode_name in feed.personal | feed.protected)
        listed = feed.coded.get(one.encode_name) if feed else None
        found.append(
            _spec(one.encode_name, hints[one.name], one.required, given, personal, plan, listed)
        )
    return _told_apart(found, feed)


def _told_apart(specs: Sequence[FieldSpec], feed: Feed | None) -> tuple[FieldSpec, ...]:
    """Where the shared type of several fields has lent them one name (金额), each takes the usual
    one of its own."""
    names = Counter(one.zh for one in specs)
    found = []
    for one in specs:
        given = feed.headings.get(one.name, ()) if feed else ()
        usual = [*given, *USUAL.get(one.name, ())]
        if names[one.zh] > 1 and usual:
            headings = tuple(dict.fromkeys([*usual, *one.headings]))
            found.append(msgspec.structs.replace(one, zh=headings[0], headings=headings))
        else:
            found.append(one)
    return tuple(found)


def _spec(
    name: str,
    hint: Any,
    required: bool,
    given: tuple[str, ...],
    personal: bool,
    plan: Plan | None,
    listed: str | None = None,
) -> FieldSpec:
    bare, metas = unwrapped(hint)
    description = next((meta.description for meta in metas if meta.description), "") or ""
    pattern = next((meta.pattern for meta in metas if meta.pattern), None)
    own = chinese_name(description)
    whole = description.partition(" · ")[0].strip()
    full = [whole] if own and heading_key(whole) != heading_key(own) else []
    headings = tuple(dict.fromkeys([*([own] if own else []), *given, *USUAL.get(name, ()), *full]))
    headings = headings or (name,)
    kind, codes = _kind(name, bare, pattern)
    said = " ".join(meta.description for meta in metas if meta.description)
    if kind == "money" and _RATE.search(said) and "元" not in said:
        kind = "rate"
    labels = {**USUAL_LABELS.get(name, {}), **_labels(description)} if codes else {}
    if listed is not None and plan is not None:
        kind, labels = "code", _unambiguous((one.zh, one.code) for one in plan.codes(listed))
    elif kind == "code" and not codes and plan is not None:
        labels = _plan_labels(name, plan)
    return FieldSpec(
        name=name,
        kind=kind,
        zh=headings[0],
        headings=headings,
        required=required,
        pattern=pattern,
        codes=codes,
        labels={folded(word): code for word, code in labels.items() if not codes or code in codes},
        personal=personal,
        parts=_parts(bare, plan) if kind == "list" else (),
    )


@cache
def chinese_names(record: type[msgspec.Struct]) -> Mapping[str, str]:
    """Field → the Chinese name it has without any feed's headings."""
    return {one.name: one.zh for one in _specs(record, None, None)}


def chinese_name(description: str) -> str:
    """A field's Chinese name: what its description says before " · ", without brackets."""
    before = description.partition(" · ")[0]
    name = _BRACKETED.sub("", before).strip()
    return name if not name.isascii() and " " not in name else ""


def unwrapped(hint: Any) -> tuple[Any, list[msgspec.Meta]]:
    """The type behind Annotated and "or None", and everything said of it, the outermost first."""
    metas: list[msgspec.Meta] = []
    while True:
        if get_origin(hint) is Annotated:
            hint, *said = get_args(hint)
            metas += [one for one in reversed(said) if isinstance(one, msgspec.Meta)]
        elif get_origin(hint) in (Union, types.UnionType):
            options = [one for one in get_args(hint) if one not in (type(None), msgspec.UnsetType)]
            if len(options) != 1:
                return hint, metas
            hint = options[0]
        else:
            return hint, metas


_PLAIN_KINDS: Final[Mapping[Any, Kind]] = {
    Decimal: "money",
    bool: "bool",
    int: "int",
    float: "int",
    date: "date",
}


def _kind(name: str, bare: Any, pattern: str | None) -> tuple[Kind, tuple[str, ...]]:
    if get_origin(bare) is Literal:
        return "code", tuple(str(code) for code in get_args(bare))
    if get_origin(bare) in (list, tuple, set, frozenset):
        return "list", ()
    if isinstance(bare, type) and issubclass(bare, Enum):
        return "code", tuple(str(one.value) for one in bare)
    return (_text_kind(name, pattern) if bare is str else _PLAIN_KINDS.get(bare, "text")), ()


def _text_kind(name: str, pattern: str | None) -> Kind:
    if _UNIT_FIELDS.fullmatch(name) or name in ("reg_type", "industry"):
        return "code"
    if pattern is None:
        return "identifier" if name.endswith(("_no", "_code", "_id")) else "text"
    if re.search(pattern, "某某有限公司"):
        return "text"
    if any(re.search(pattern, other) for other in ("AB-1", "ABCDE-12")):
        return "identifier"
    if re.search(pattern, _DEKAD):
        return "dekad"
    month = re.search(pattern, _MONTH) and not re.search(pattern, "2008-13")
    return "month" if month else "identifier"


def _labels(description: str) -> dict[str, str]:
    """Words for codes, as a description lists them: "enrolled 正常, suspended 中断"."""
    found: dict[str, str] = {}
    for one in _LABEL.finditer(description):
        whole = one["words"].strip()
        for word in {*re.split(r"[、/]", whole), *re.split(r"[、/]", _BRACKETED.sub("", whole))}:
            if folded(word):
                found.setdefault(folded(word), one["code"])
        for inner in re.findall(r"[（(]([^（）()]{1,6})[）)]", whole):
            found.setdefault(folded(inner), one["code"])
    return found


def _plan_labels(name: str, plan: Plan) -> dict[str, str]:
    """Names the plan knows for units, registration types and industry divisions."""
    if _UNIT_FIELDS.fullmatch(name):
        return unit_names(plan)
    if name == "reg_type":
        return _unambiguous((row.zh, row.code) for row in plan.content.registration_types.rows)
    return _unambiguous((row.zh, row.code) for row in plan.content.industries.divisions)


def unit_names(plan: Plan) -> dict[str, str]:
    """Folded names of reporting units → code; a name of two units stands for none."""
    units = {unit.code: unit for unit in (plan.city, *plan.units)}.values()
    return _unambiguous(
        (name, unit.code)
        for unit in units
        for name in (unit.zh, re.sub("(满族)?自治县$", "县", unit.zh))
    )


def _unambiguous(named: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str | None] = {}
    for name, code in named:
        key = folded(name)
        found[key] = code if found.get(key, code) == code else None
    return {name: code for name, code in found.items() if code is not None}


def _parts(bare: Any, plan: Plan | None) -> tuple[FieldSpec, ...]:
    inner = get_args(bare)[0] if get_args(bare) else str
    inner_bare, _ = unwrapped(inner)
    if isinstance(inner_bare, type) and issubclass(inner_bare, msgspec.Struct):
        return _specs(inner_bare, None, plan)
    return (_spec("", inner, True, (), False, plan),)


def shown_labels(spec: FieldSpec) -> Mapping[str, str]:
    """Code → the word for it that is shown, where there is one."""
    shown: dict[str, str] = {}
    for word, code in spec.labels.items():
        shown.setdefault(code, word)
    return shown
