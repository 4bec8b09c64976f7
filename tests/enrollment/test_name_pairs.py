"""Labelled pairs of names: ours, made; and real ones where they lie beside the checkout."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from enrollment.identity.names import NamePolicy, Seen, blocks_of, compare, normal_of, pairs_of
from enrollment.identity.names import policy_of as policy_on
from shared.plan import Plan

OURS = Path(__file__).with_name("name_pairs.csv")
SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def policy() -> NamePolicy:
    return policy_on(Plan.default(), date(2008, 6, 1))


def rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        pytest.skip(f"the sample file {path.name} does not lie beside the checkout")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def outcome(name: str, other: str, policy: NamePolicy) -> str:
    one, two = Seen("1", name), Seen("2", other)
    verdict = compare(one, two, policy)
    assert verdict == compare(two, one, policy), (name, other)
    return verdict.outcome


def test_made_pairs_come_out_as_labelled(policy: NamePolicy) -> None:
    allowed = {"linked-or-ask": {"linked", "ask"}}
    wrong = [
        (row["kind"], row["name_a"], row["name_b"], found)
        for row in rows(OURS)
        if (found := outcome(row["name_a"], row["name_b"], policy))
        not in allowed.get(row["same"], {row["same"]})
    ]
    assert wrong == []


def test_what_is_not_separate_shares_a_blocking_key(policy: NamePolicy) -> None:
    for row in rows(OURS):
        if row["same"] != "separate":
            one, other = (normal_of(row[name], policy.places) for name in ("name_a", "name_b"))
            assert set(blocks_of(one)) & set(blocks_of(other)), row


def test_real_pairs(policy: NamePolicy) -> None:
    found: Counter[tuple[str, str]] = Counter()
    for row in rows(SAMPLES / "name_pairs_dev.csv"):
        found[row["same_entity"], outcome(row["name_a"], row["name_b"], policy)] += 1
    same = sum(count for (label, _), count in found.items() if label == "1")
    different = sum(count for (label, _), count in found.items() if label == "0")
    assert found["1", "separate"] <= 0.06 * same
    assert found["0", "linked"] <= 0.01 * different
    # A person is not asked about what is plainly two firms.
    assert found["0", "ask"] <= 0.1 * different


def test_registered_names_are_all_kept_apart(policy: NamePolicy) -> None:
    seen = [
        Seen(str(at), row["name"])
        for at, row in enumerate(rows(SAMPLES / "employers_liaoning_dev.csv"))
    ]
    pairs = pairs_of(seen, seen, policy)
    assert [pair for pair in pairs.found if pair.verdict.outcome == "linked"] == []
    assert len(pairs.found) <= len(seen) // 100
    # Blocking leaves less than one pair in a thousand to look at.
    assert pairs.compared < len(seen) ** 2 // 2000
    # Each finds itself, and nobody else, in a second list.
    again = [one._replace(ref=f"{one.ref}'") for one in seen]
    linked = [p for p in pairs_of(seen, again, policy).found if p.verdict.outcome == "linked"]
    assert [(pair.left + "'") for pair in linked] == [pair.right for pair in linked]
    assert len(linked) >= 0.99 * len(seen)
