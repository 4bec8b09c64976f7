"""Numbers in records, before a judge sees them: what is decoded again, and what stays as sent."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from shared.deliveries.fields import IdentityKind, OrgCode, PersonNo
from shared.deliveries.numbers import decode_numbered, number_fields
from shared.identifiers import make_identity_no, make_org_code

PERSON = make_identity_no("210502", date(1970, 1, 1), 985)
ORG = make_org_code("PDY00101")


class Told(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A record with a number of each way, and something else."""

    identity_no: PersonNo | None = None
    identity_kind: IdentityKind = "identity-card"
    org_code: OrgCode | None = None
    amount: Decimal | None = None


def told(text: str) -> tuple[Any, list[tuple[str, str | None, str]]]:
    """The record or its problems, and the repairs."""
    (result,), repairs = decode_numbered(Told, [text.encode()], 500_000)
    return result, [(one.field, one.to, one.rule) for one in repairs.get(0, [])]


def test_a_field_says_what_number_it_holds() -> None:
    assert dict(number_fields(Told)) == {"identity_no": "by-identity-kind", "org_code": "org-code"}


def test_a_number_is_read_as_its_paper_says() -> None:
    result, repairs = told(json.dumps({"identity_no": f"{PERSON[:17]} {PERSON[17].lower()}"}))
    assert (result.identity_no, repairs) == (PERSON, [("identity_no", PERSON, "spaces")])
    result, repairs = told('{"identity_no": "m 12345678", "identity_kind": "passport"}')
    assert result.identity_no == "M12345678"
    assert repairs == [("identity_no", "M12345678", "spaces+upper-case")]


def test_what_is_no_number_stays_to_the_letter() -> None:
    result, repairs = told(f'{{"org_code": " {ORG}", "amount": 12345678901234567890.12}}')
    assert (result.org_code, len(repairs)) == (ORG, 1)
    assert result.amount == Decimal("12345678901234567890.12")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ('{"identity_no": "m 12345678"}', ["pattern-mismatch"]),
        (
            '{"identity_no": "m 12345678", "identity_kind": "visa"}',
            ["pattern-mismatch", "code-unknown"],
        ),
        (
            '{"identity_no": "m 12345678", "identity_kind": ["passport"]}',
            ["pattern-mismatch", "type-wrong"],
        ),
        (f'{{"org_code": " {ORG}", "amount": "viel"}}', ["money-invalid"]),
        ('{"org_code": "PDY-0010-0"}', ["pattern-mismatch"]),
    ],
)
def test_what_else_is_wrong_is_told(text: str, codes: list[str]) -> None:
    result, _ = told(text)
    assert [one.code for one in result] == codes
