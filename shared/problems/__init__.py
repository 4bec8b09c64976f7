"""Refusals: one catalogue of stable codes with words in two languages, RFC 9457 over HTTP."""

from shared.problems.catalogue import CATALOGUE, ProblemType
from shared.problems.http import (
    field_errors,
    install_problems,
    problem_pages,
    problem_response,
    unexpected_response,
)
from shared.problems.problem import (
    MEDIA_TYPE,
    FieldError,
    Language,
    Problem,
    field_error,
    preferred_language,
    problem,
)
from shared.problems.rows import ROW_TEXTS, Texts

__all__ = [
    "CATALOGUE",
    "MEDIA_TYPE",
    "ROW_TEXTS",
    "FieldError",
    "Language",
    "Problem",
    "ProblemType",
    "Texts",
    "field_error",
    "field_errors",
    "install_problems",
    "preferred_language",
    "problem",
    "problem_pages",
    "problem_response",
    "unexpected_response",
]
