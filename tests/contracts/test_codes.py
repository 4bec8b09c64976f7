"""Every code the product can answer with has its words: found in the source itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from kuomian.services import all_services
from shared.deliveries import texts
from shared.problems import CATALOGUE, ROW_TEXTS

ROOT = Path(__file__).parents[2]


def literal_calls(*functions: str) -> Iterator[tuple[str, str]]:
    """First string argument of every call of these functions in shared and the services."""
    for folder in ("shared", "services"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if not isinstance(node, ast.Call) or not node.args:
                    continue
                called = getattr(node.func, "id", getattr(node.func, "attr", ""))
                first = node.args[0]
                if called in functions and isinstance(first, ast.Constant):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", str(first.value)


def test_every_problem_raised_is_in_the_catalogue() -> None:
    raised = list(literal_calls("problem"))
    assert raised
    assert [place for place in raised if place[1] not in CATALOGUE] == []


def test_every_row_problem_has_words() -> None:
    known = set(ROW_TEXTS) | set(texts.ROW_TEXTS)
    for service in all_services():
        for feed in service.feeds:
            known |= set(feed.texts)
    used = list(literal_calls("RowProblem", "field_error"))
    assert used
    assert [place for place in used if place[1] not in known] == []


@pytest.mark.parametrize("service", all_services(), ids=lambda service: service.name)
def test_a_feeds_own_words_are_in_both_languages(service: object) -> None:
    for feed in getattr(service, "feeds", ()):
        for code, (zh, en) in feed.texts.items():
            assert zh, code
            assert en, code
