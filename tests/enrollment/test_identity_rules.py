"""Which employer a record is about: a table of claims, and what they come to."""

from __future__ import annotations

import pytest

from enrollment.identity.rules import Claim, assign, keys_of


def claim(*keys: str) -> Claim:
    return Claim(keys, "某厂", "210502", False, None, None)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("1", None, None), ("oc:1",)),
        (("1", "2", "own:h"), ("oc:1", "lic:2", "own:h")),
        ((None, None, "own:h"), ("own:h",)),
        ((None, "2", None), ("lic:2",)),
    ],
)
def test_numbers_become_keys_strongest_first(
    given: tuple[str | None, str | None, str | None], expected: tuple[str, ...]
) -> None:
    assert keys_of(*given) == expected


def test_a_record_key_counts_only_where_there_is_nothing_else() -> None:
    assert keys_of(None, None, None, "rec:9") == ("rec:9",)
    assert keys_of("1", None, None, "rec:9") == ("oc:1",)
    assert keys_of(None, None, None, "own:h") == ("own:h",)


@pytest.mark.parametrize(
    ("claims", "known", "employers", "links", "conflicts"),
    [
        pytest.param(
            [claim("oc:1")], {}, ["new:0"], {"oc:1": ("new:0", "org-code")}, [], id="mints"
        ),
        pytest.param([claim("oc:1")], {"oc:1": "E1"}, ["E1"], {}, [], id="known"),
        pytest.param(
            [claim("oc:1", "lic:2")],
            {"oc:1": "E1"},
            ["E1"],
            {"lic:2": ("E1", "org-code")},
            [],
            id="gains a licence by its code",
        ),
        pytest.param(
            [claim("oc:1", "lic:2")],
            {"lic:2": "E2"},
            ["E2"],
            {"oc:1": ("E2", "licence-no")},
            [],
            id="gains a code by its licence",
        ),
        pytest.param(
            [claim("oc:1", "lic:2")],
            {"oc:1": "E1", "lic:2": "E2"},
            ["E1"],
            {},
            [("lic:2", "E2", "E1")],
            id="two turn out to be one: the code decides, people join them",
        ),
        pytest.param(
            [claim("lic:2"), claim("oc:1", "lic:2"), claim("oc:1")],
            {},
            ["new:0", "new:0", "new:0"],
            {"lic:2": ("new:0", "licence-no"), "oc:1": ("new:0", "licence-no")},
            [],
            id="one batch, one employer",
        ),
        pytest.param(
            [claim("own:h"), claim("lic:2", "own:h")],
            {},
            ["new:0", "new:0"],
            {"own:h": ("new:0", "owner"), "lic:2": ("new:0", "owner")},
            [],
            id="a household by its owner",
        ),
    ],
)
def test_assign(
    claims: list[Claim],
    known: dict[str, str],
    employers: list[str],
    links: dict[str, tuple[str, str]],
    conflicts: list[tuple[str, str, str]],
) -> None:
    found = assign(claims, known, {})
    assert found.employers == employers
    assert {key: link[:2] for key, link in found.links.items()} == links
    assert [conflict[1:] for conflict in found.conflicts] == conflicts


def test_an_employer_stands_in_the_register_once() -> None:
    """A second register number with the same code makes an employer of its own, and a conflict."""
    second = claim("agency:B", "oc:1")
    found = assign([second], {"oc:1": "E1"}, {"E1": "agency:A"})
    assert found.employers == ["new:0"]
    assert [conflict[1:] for conflict in found.conflicts] == [("oc:1", "E1", "new:0")]

    again = assign([second], {"agency:B": "E2", "oc:1": "E1"}, {"E1": "agency:A", "E2": "agency:B"})
    assert again.employers == ["E2"]


def test_the_register_links_a_number_to_an_employer_the_feeds_knew() -> None:
    found = assign([claim("agency:A", "oc:1")], {"oc:1": "E1"}, {})
    assert found.employers == ["E1"]
    assert found.links["agency:A"][:2] == ("E1", "register")
