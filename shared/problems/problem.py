"""The exception every refusal is raised as, and its RFC 9457 form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from shared.problems.catalogue import CATALOGUE, ProblemType
from shared.problems.rows import Texts, fill, row_text

Language = Literal["zh", "en"]
MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong at one place: ``pointer`` is a JSON pointer into the body (RFC 6901),
    or names a parameter as ``query/limit``, ``header/If-Match``, ``path/period``."""

    pointer: str
    code: str
    zh: str
    en: str


class Problem(Exception):
    """A refusal with a stable code; handlers turn it into ``application/problem+json``.

    ``extra`` are further members of the document (RFC 9457 extension members).
    """

    def __init__(
        self,
        kind: ProblemType,
        params: Mapping[str, object] | None = None,
        *,
        errors: Iterable[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
        status: int | None = None,
    ) -> None:
        self.kind = kind
        self.params = dict(params or {})
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})
        self.status = status or kind.status
        super().__init__(f"{kind.code}: {fill(kind.detail_en, self.params)}")

    @property
    def code(self) -> str:
        """The stable code."""
        return self.kind.code

    def detail(self, language: Language) -> str:
        """The detail sentence in one language."""
        template = self.kind.detail_zh if language == "zh" else self.kind.detail_en
        return fill(template, self.params)

    def document(self, language: Language = "zh", public_url: str = "") -> dict[str, Any]:
        """The RFC 9457 members; ``title`` and ``detail`` in the language asked for."""
        members: dict[str, Any] = {
            "type": f"{public_url}/problems/{self.kind.code}",
            "title": self.kind.title_zh if language == "zh" else self.kind.title_en,
            "status": self.status,
            "detail": self.detail(language),
            "code": self.kind.code,
            "title_zh": self.kind.title_zh,
            "title_en": self.kind.title_en,
        }
        if self.errors:
            members["errors"] = [asdict(error) for error in self.errors]
        return {**self.extra, **members}


def problem(
    code: str,
    *,
    errors: Iterable[FieldError] = (),
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
    **params: object,
) -> Problem:
    """The problem of that code, to be raised. KeyError for a code not in the catalogue.

    ``params`` fill the detail templates: ``raise problem("feed-unknown", feed=name, known=…)``.
    """
    kind = CATALOGUE[code]
    sent = dict(headers or {})
    if kind.retry_after is not None:
        sent.setdefault("Retry-After", str(kind.retry_after))
    return Problem(kind, params, errors=errors, headers=sent, extra=extra)


def field_error(
    code: str,
    pointer: str = "",
    params: Mapping[str, object] | None = None,
    texts: Texts | None = None,
) -> FieldError:
    """An error with its words; words from ``texts``, else ``ROW_TEXTS``."""
    zh, en = row_text(code, params or {}, texts)
    return FieldError(pointer, code, zh, en)


def preferred_language(accept_language: str | None) -> Language:
    """``zh`` or ``en`` by an Accept-Language header (RFC 9110 §12.5.4); Chinese when it does
    not say."""
    best: tuple[float, Language] = (0.0, "zh")
    for part in (accept_language or "").split(","):
        tag, _, weight = part.strip().partition(";q=")
        name = tag.strip().lower().split("-")[0]
        language: Language | None = "zh" if name in ("zh", "*") else "en" if name == "en" else None
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        if language is not None and quality > best[0]:
            best = (quality, language)
    return best[1]
