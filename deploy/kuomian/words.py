"""Failures in one line."""

from __future__ import annotations


class Failure(Exception):
    """A command cannot go on; the text is the line the user sees."""


def fail_words(error: BaseException) -> str:
    """What went wrong, in one line: our own errors as they are, others with their kind."""
    text = " ".join(str(error).split())
    ours = type(error).__module__.split(".")[0] in {"kuomian", "shared"}
    if ours and text:
        return text
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}"
    return f"意外错误 · unexpected {type(error).__name__}: {text}"
