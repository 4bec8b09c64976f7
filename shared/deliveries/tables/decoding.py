"""Bytes of a text table as lines: gzip, encodings. Flat memory; mixed encodings are refused with
the place."""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from shared.deliveries.tables.spec import MAX_LINE_CHARACTERS, TableRefused

GZIP_MAGIC: Final = b"\x1f\x8b"
_PIECE: Final = 64 * 1024
_UTF8_WORDS: Final = re.compile(
    rb"(?:[\x00-\x7f]|[\xe4-\xe9][\x80-\xbf]{2}|\xef[\xbc\xbd][\x80-\xbf]"
    rb"|\xe3\x80[\x80-\xbf])*"
)
_FOREIGN: Final = (
    (b"PK\x03\x04", "XLSX"),
    (b"\xd0\xcf\x11\xe0", "XLS"),
    (b"%PDF", "PDF"),
    (b"{\\rtf", "RTF"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7Z"),
)
_MARKUP: Final = re.compile(rb"\s*<(?:!doctype\s+html|html|table|\?xml|meta|style)", re.IGNORECASE)


def foreign_form(head: bytes) -> str | None:
    """What a file is that is no text table, by its first bytes."""
    for magic, name in _FOREIGN:
        if head.startswith(magic):
            return name
    return "HTML/XML" if _MARKUP.match(head.removeprefix(codecs.BOM_UTF8)) else None


class Inflater:
    """A gzip stream (RFC 1952) unpacked as it comes, in pieces of bounded size."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=31)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What the next bytes hold. Raises TableRefused for damaged ones."""
        while data:
            if self._inflate.eof:
                self._inflate = zlib.decompressobj(wbits=31)  # one member after another
            try:
                out = self._inflate.decompress(data, _PIECE)
            except zlib.error as error:
                raise TableRefused("table-damaged", reason=f"gzip: {error}"[:120]) from error
            data = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            if out:
                yield out

    def finish(self) -> None:
        """Raises TableRefused for a stream that does not end."""
        if not self._inflate.eof:
            reason = "gzip 未结束 · the gzip stream does not end"
            raise TableRefused("body-truncated", reason=reason)


def unpacked(pieces: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """A gzip body, piece by piece, of at most ``limit`` bytes; cut off or damaged is refused."""
    inflater = Inflater()
    size = 0
    for piece in pieces:
        for out in inflater.feed(piece):
            size += len(out)
            if size > limit:
                raise TableRefused("body-too-long", limit=str(limit))
            yield out
    inflater.finish()


def lines_of(pieces: Iterable[bytes], found: dict[str, str]) -> Iterator[str]:
    """The lines of a text, each with its line break; ``found["encoding"]`` says what it was."""
    pieces = iter(pieces)
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= 4096:
            break
    encoding = _by_marks(head)
    body = _chain(head, pieces)
    if encoding is None:
        yield from _undeclared(body, found, _likely(head))
        return
    found["encoding"] = encoding
    yield from _wide(body, encoding)


def _chain(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest


def _by_marks(head: bytes) -> str | None:
    """UTF-16 by its mark, or by the zeros between ASCII; None for encodings with plain ASCII."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16-le" if head.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    sample = head[:2048]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if even + odd > len(sample) // 16:
        return "utf-16-le" if odd > even else "utf-16-be"
    return None


def _wide(pieces: Iterator[bytes], encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    text, no = "", 1
    first = True
    try:
        for piece in pieces:
            text += decoder.decode(piece)
            if first:
                text, first = text.removeprefix("\ufeff"), False
            *whole, text = _split(text)
            no += len(whole)
            yield from whole
            _bound(text, no)
        text += decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise TableRefused("table-encoding", line=str(no), encoding=encoding) from error
    if text:
        yield text


def _split(text: str) -> list[str]:
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + parts[-1:]


def _bound(rest: str | bytes, no: int) -> None:
    if len(rest) > MAX_LINE_CHARACTERS * 2:
        raise TableRefused("table-line-too-long", line=str(no), limit=str(MAX_LINE_CHARACTERS))


def _likely(head: bytes) -> str:
    """UTF-8 or GB18030 by the first lines together; "" while all are ASCII."""
    whole = head[: head.rfind(b"\n") + 1] or head
    if whole.isascii():
        return ""
    return "utf-8" if _is(whole, "utf-8") else "gb18030"


def _undeclared(pieces: Iterator[bytes], found: dict[str, str], encoding: str) -> Iterator[str]:
    """UTF-8 or GB18030; decided by the first line that is not ASCII if not yet."""
    if encoding:
        found["encoding"] = encoding
    no = 0
    for line in _byte_lines(pieces):
        no += 1
        if no == 1 and line.startswith(codecs.BOM_UTF8):
            line = line[3:]  # noqa: PLW2901
            found["encoding"] = encoding = "utf-8-sig"
        if line.isascii():
            yield line.decode("ascii")
            continue
        if not encoding:
            encoding = "utf-8" if _is(line, "utf-8") else "gb18030"
            found["encoding"] = encoding
        elif encoding == "gb18030" and _UTF8_WORDS.fullmatch(line) and _chinese(line) > 1:
            raise TableRefused("table-encoding", line=str(no), encoding=encoding)
        try:
            yield line.decode("utf-8" if encoding == "utf-8-sig" else encoding)
        except UnicodeDecodeError as error:
            raise TableRefused("table-encoding", line=str(no), encoding=encoding) from error
    found.setdefault("encoding", "ascii")


def _chinese(line: bytes) -> int:
    return sum(not character.isascii() for character in line.decode("utf-8", "ignore"))


def _is(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _byte_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    no = 1
    for piece in pieces:
        rest += piece
        if b"\n" not in piece:
            _bound(rest, no)
            continue
        *whole, rest = rest.split(b"\n")
        for line in whole:
            _bound(line, no)
            no += 1
            yield line + b"\n"
    if rest:
        yield rest
