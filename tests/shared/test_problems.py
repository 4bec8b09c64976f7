"""The catalogue is whole, words are filled, languages are chosen."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.problems import (
    CATALOGUE,
    ROW_TEXTS,
    Problem,
    field_error,
    preferred_language,
    problem,
)

CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def _fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_problem_says_the_same_in_both_languages(code: str) -> None:
    kind = CATALOGUE[code]
    assert CODE.fullmatch(code)
    assert 400 <= kind.status < 600
    assert kind.title_zh
    assert kind.title_en
    assert _fields(kind.detail_zh) == _fields(kind.detail_en)
    assert (kind.status == 503) <= (kind.retry_after is not None)


@pytest.mark.parametrize("code", sorted(ROW_TEXTS))
def test_every_row_code_says_the_same_in_both_languages(code: str) -> None:
    zh, en = ROW_TEXTS[code]
    assert CODE.fullmatch(code)
    assert _fields(zh) - {"zh"} == _fields(en) - {"en"}


def test_a_problem_as_a_document() -> None:
    raised = problem("feed-unknown", feed="x", known="a, b", extra={"hint": 1, "status": 7})
    document = raised.document("en", "https://k.example")
    assert document["type"] == "https://k.example/problems/feed-unknown"
    assert document["detail"] == "There is no feed x; the feeds here are: a, b."
    assert (document["status"], document["hint"]) == (404, 1)
    assert raised.document("zh")["title"] == "没有此报送项目"
    assert problem("database-away").headers == {"Retry-After": "5"}
    with pytest.raises(KeyError):
        problem("no-such-code")


def test_a_missing_param_is_a_dash_never_an_error() -> None:
    assert "—" in problem("feed-unknown").detail("en")
    assert isinstance(problem("feed-unknown"), Problem)
    assert field_error("field-missing", "/name").en == "— is missing"
    assert field_error("own-code", "/x", {"a": 1}, {"own-code": ("零{a}", "own {a}")}).en == "own 1"
    assert field_error("no-text").zh == "no-text"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "zh"),
        ("", "zh"),
        ("en", "en"),
        ("en-US,en;q=0.9,zh-CN;q=0.8", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("fr, en;q=0.1", "en"),
        ("fr", "zh"),
        ("en;q=0", "zh"),
        ("en;q=nonsense", "zh"),
        ("*, en;q=0.5", "zh"),
    ],
)
def test_the_callers_language(header: str | None, language: str) -> None:
    assert preferred_language(header) == language


@given(st.text())
def test_no_header_is_an_error(header: str) -> None:
    assert preferred_language(header) in ("zh", "en")
