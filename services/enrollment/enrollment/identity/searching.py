"""Names as they are searched, and compared where they need only be written alike. Pure."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    """Letters, digits and characters only, of one width and case: what two offices write alike."""
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join([char for char in folded if char.isalnum()])


def grams(name: str) -> list[str]:
    """The pairs of neighbouring characters of a name's ``plain`` form, each once: what names are
    searched by. One character alone is its own."""
    text = plain(name)
    if len(text) < 2:
        return [text] if text else []
    return sorted({text[at : at + 2] for at in range(len(text) - 1)})
