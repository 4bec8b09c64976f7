"""The checks against sample files that lie beside the checkout, where they are present."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from shared.identifiers import (
    Problem,
    check_identity_no,
    check_reg_no,
    check_tax_no,
    check_uscc,
    identity_birth_on,
    identity_sex,
    org_code_from_tax_no,
    org_code_from_uscc,
    read,
)
from shared.identifiers.batch import org_code_check_batch, tax_no_problems, uscc_problems

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data"

CHECKS: dict[str, Callable[[str], Problem | None]] = {
    "org_code": lambda value: read("org-code", value).problem,
    "uscc": check_uscc,
    "tax_no": check_tax_no,
    "reg_no_15": check_reg_no,
    "id_card": check_identity_no,
}


def rows(name: str) -> list[dict[str, str]]:
    path = SAMPLES / name
    if not path.is_file():
        pytest.skip(f"the sample file {name} does not lie beside the checkout")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_examples_of_every_kind() -> None:
    for row in rows("identifiers_dev.csv"):
        problem = CHECKS[row["kind"]](row["value"])
        assert (problem.code if problem else "") == row["reason"], row
        if problem and row["note"].startswith("should be "):
            assert problem.en.endswith(row["note"])


def test_identity_numbers_with_edges() -> None:
    for row in rows("id_cards_dev.csv"):
        problem = check_identity_no(row["id"], date.fromisoformat(row["as_of"]))
        assert (problem is None) == (row["valid"] == "1"), row
        if problem is None:
            assert identity_birth_on(row["id"]).isoformat() == row["birth"]
            assert identity_sex(row["id"]) == row["sex"]


def test_registered_employers() -> None:
    employers = rows("employers_liaoning_dev.csv")
    codes = [read("org-code", row["org_code"]).normal or "" for row in employers]
    usccs = [row["uscc_18"] for row in employers]
    tax_nos = [row["tax_no_15"] for row in employers]
    right = [None] * len(employers)
    assert org_code_check_batch(codes) == right
    assert uscc_problems(usccs) == right
    assert tax_no_problems(tax_nos) == right
    assert [org_code_from_uscc(value) for value in usccs] == codes
    assert [org_code_from_tax_no(value) for value in tax_nos] == codes
