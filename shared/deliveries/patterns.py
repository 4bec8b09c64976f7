"""The patterns of a shape's fields, looked at column by column.

A decoder that checks patterns itself goes through the regular expression's machinery for every
value. Most columns hold few different values (units, codes), so the same shape without patterns is
decoded, and each different value is looked at once. Pure.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, Final, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec


class Loose(NamedTuple):
    """A shape whose text fields take any text."""

    shape: type[msgspec.Struct]
    """A subclass of the shape it was made from, with the same fields."""
    patterns: Mapping[str, re.Pattern[str]]
    """Attribute → what its text has to match, searched for as the strict shape does."""

    def all_match(self, records: Sequence[Any]) -> bool:
        """Whether the strict shape would have taken the texts of all these records."""
        for name, pattern in self.patterns.items():
            values = set(map(attrgetter(name), records))
            values.discard(None)
            if not all(map(pattern.search, values)):
                return False
        return True


@cache
def loosened(shape: type[msgspec.Struct]) -> Loose:
    """The shape without the patterns of its own text fields; what lies within other fields keeps
    them. A shape whose fields have to be given by keyword, else as it is."""
    hints = get_type_hints(shape, include_extras=True)
    fields: list[tuple[str, Any, Any]] = []
    patterns = {}
    for field in msgspec.structs.fields(shape):
        found: list[str] = []
        kind = _without_patterns(hints[field.name], found)
        if len(found) == 1:
            patterns[field.name] = re.compile(found[0])
            fields.append((field.name, kind, _default_of(field)))
    if not fields:
        return Loose(shape, {})
    config = shape.__struct_config__
    loose = msgspec.defstruct(
        shape.__name__,
        fields,
        bases=(shape,),
        module=shape.__module__,
        frozen=config.frozen,
        kw_only=True,
        forbid_unknown_fields=config.forbid_unknown_fields,
    )
    # What is hashed of a record must not depend on how it was read: the order has to be the same.
    in_order = loose.__struct_fields__ == shape.__struct_fields__
    return Loose(loose, patterns) if in_order else Loose(shape, {})


def _default_of(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(default_factory=field.default_factory)
    return field.default


def _without_patterns(hint: Any, found: list[str]) -> Any:
    """The type of a text field, or of one that may be absent, without its pattern, which is added
    to ``found``; any other type as it is."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return Union[tuple(_without_patterns(part, found) for part in get_args(hint))]  # noqa: UP007
    if origin is not Annotated or hint.__origin__ is not str:
        return hint
    found += [
        one.pattern for one in hint.__metadata__ if isinstance(one, msgspec.Meta) and one.pattern
    ]
    plain = tuple(_plain(one) for one in hint.__metadata__)
    return Annotated[(str, *plain)]


_KEPT: Final = (
    "min_length",
    "max_length",
    "title",
    "description",
    "examples",
    "extra_json_schema",
    "extra",
)


def _plain(meta: Any) -> Any:
    if not isinstance(meta, msgspec.Meta):
        return meta
    return msgspec.Meta(**{name: getattr(meta, name) for name in _KEPT})
