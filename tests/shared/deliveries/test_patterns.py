"""A loosened shape with its columns looked at takes what the strict one takes, and nothing else."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollment.register.schemas import InsuredPerson
from registration_feed.schemas import BusinessLicence
from shared.deliveries.numbers import number_fields, numbered
from shared.deliveries.patterns import loosened


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    code: Annotated[
        str, msgspec.Meta(pattern="^[0-9]{2}$", max_length=9, extra=numbered("org-code"))
    ]
    free: Annotated[str, msgspec.Meta(pattern="b")] | None = None
    many: list[Annotated[str, msgspec.Meta(pattern="^x")]] = []
    on: date | None = None
    kind: str = "usual"


TEXTS = st.sampled_from(["12", "99", "1", "123", "", "ab", "b\n", "１２", "12\n", "1\n2", "b" * 12])
LINES = st.lists(
    st.fixed_dictionaries(
        {"code": TEXTS},
        optional={
            "free": st.none() | TEXTS,
            "many": st.lists(st.sampled_from(["x", "y"]), max_size=2),
            "kind": st.sampled_from(["usual", "other"]),
        },
    ),
    min_size=1,
    max_size=6,
)


def taken(shape: type[msgspec.Struct], lines: list[dict[str, Any]]) -> list[Any] | None:
    try:
        return msgspec.convert(lines, list[shape])  # type: ignore[valid-type]
    except msgspec.ValidationError:
        return None


@given(LINES)
def test_the_loosened_shape_and_its_columns_say_what_the_strict_one_says(
    lines: list[dict[str, Any]],
) -> None:
    strict, loose = taken(Line, lines), loosened(Line)
    found = taken(loose.shape, lines)
    if found is not None and not loose.all_match(found):
        found = None
    assert (found is None) == (strict is None)
    if found is not None and strict is not None:
        assert [msgspec.structs.asdict(one) for one in found] == [
            msgspec.structs.asdict(one) for one in strict
        ]


def test_only_text_of_the_record_itself_is_loosened() -> None:
    assert loosened(Line).patterns.keys() == {"code", "free"}
    assert taken(loosened(Line).shape, [{"code": "12", "many": ["y"]}]) is None


def test_a_shape_whose_order_would_change_stays_as_it_is() -> None:
    class Ordered(msgspec.Struct, frozen=True):
        code: Annotated[str, msgspec.Meta(pattern="^[0-9]$")]
        free: str

    assert loosened(Ordered).shape is Ordered


@pytest.mark.parametrize("shape", [Line, BusinessLicence, InsuredPerson])
def test_everything_else_a_field_says_stays(shape: type[msgspec.Struct]) -> None:
    loose = loosened(shape).shape
    strict_fields = {one.name: one for one in msgspec.structs.fields(shape)}
    loose_fields = {one.name: one for one in msgspec.structs.fields(loose)}
    assert issubclass(loose, shape)
    assert list(loose_fields) == list(strict_fields)
    assert number_fields(loose) == number_fields(shape)
    assert {n: (f.required, f.default) for n, f in loose_fields.items()} == {
        n: (f.required, f.default) for n, f in strict_fields.items()
    }
    assert taken(loose, [{"nothing": 1}]) is None
