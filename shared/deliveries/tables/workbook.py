"""An XLSX workbook (ECMA-376) as parts: sheets, shared strings, which number formats are dates.

Read with the standard library: zip directory first, every part bounded before it is unpacked, no
entity is ever expanded.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Final
from xml.parsers import expat

from shared.deliveries.tables.decoding import foreign_form
from shared.deliveries.tables.spec import MAX_PART_BYTES, MAX_STRINGS_BYTES, TableRefused

_MAX_ENTRIES: Final = 10_000
_SMALL_PART: Final = 16 * 1024 * 1024
_PIECE: Final = 64 * 1024
_MAX_RATIO: Final = 400
"""Of sizes unpacked to packed, beyond the first megabytes: sheets of offices stay below 60."""
_FREE_BYTES: Final = 32 * 1024 * 1024

_BUILT_IN_DATES: Final = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_FORMAT_TEXT: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')


@dataclass
class Sheet:
    """A sheet and where it lies."""

    name: str
    part: str
    hidden: bool


@dataclass
class Workbook:
    """What reading any sheet takes."""

    archive: zipfile.ZipFile
    sheets: list[Sheet] = field(default_factory=list)
    strings: list[str] = field(default_factory=list)
    date_styles: frozenset[int] = frozenset()
    text_styles: frozenset[int] = frozenset()
    since_1904: bool = False


def open_workbook(data: bytes) -> Workbook:
    """The parts of a workbook; TableRefused for what is none, encrypted, damaged or a bomb."""
    found = foreign_form(data[:4096])
    if found == "XLS":
        # Encrypted workbooks and those of Excel 97 share the container; its directory says which.
        encrypted = "EncryptedPackage".encode("utf-16-le") in data[: 4 * 1024 * 1024]
        if encrypted or "EncryptedPackage".encode("utf-16-le") in data:
            raise TableRefused("table-encrypted")
    if found != "XLSX":
        raise TableRefused("table-form-wrong", expected="XLSX", found=found or "文本 · text")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        _check_directory(archive)
        return _opened(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError) as error:
        raise TableRefused("table-damaged", reason=f"XLSX: {error}"[:120]) from error
    except (expat.ExpatError, ValueError, RuntimeError) as error:
        raise TableRefused("table-damaged", reason=f"XLSX: {error}"[:120]) from error


def _check_directory(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    if len(entries) > _MAX_ENTRIES:
        raise TableRefused("table-too-large", what="文件个数 · files", limit=str(_MAX_ENTRIES))
    for entry in entries:
        if entry.flag_bits & 1:
            raise TableRefused("table-encrypted")
        if entry.file_size > MAX_PART_BYTES or (
            entry.file_size > _FREE_BYTES and entry.file_size > _MAX_RATIO * entry.compress_size
        ):
            raise TableRefused(
                "table-too-large", what=entry.filename[:60], limit=str(MAX_PART_BYTES)
            )


def _opened(archive: zipfile.ZipFile) -> Workbook:
    book = Workbook(archive)
    names = {name.lstrip("/").lower(): name for name in archive.namelist()}
    types = names.get("[content_types].xml")
    main = names.get("xl/workbook.xml")
    if main is None:
        # Other producers place it elsewhere; the package's relations say where.
        relations = _relations(archive, names, "")
        main = next(
            (names.get(at.lower()) for kind, at in relations.values() if kind == "officeDocument"),
            None,
        )
    if main is None:
        found = "XLSB" if "xl/workbook.bin" in names else "ZIP" if types is None else "OOXML/ODF"
        raise TableRefused("table-form-wrong", expected="XLSX", found=found)
    relations = _relations(archive, names, main)
    _sheets(book, archive, main, relations, names)
    for kind, at in relations.values():
        part = names.get(at.lower())
        if part is None:
            continue
        if kind == "sharedStrings":
            book.strings = _strings(archive, part)
        elif kind == "styles":
            book.date_styles, book.text_styles = _styles(archive, part)
    return book


def _relations(
    archive: zipfile.ZipFile, names: dict[str, str], source: str
) -> dict[str, tuple[str, str]]:
    """Id → (kind, part) of a part's relations."""
    folder, name = posixpath.split(source)
    part = names.get(posixpath.join(folder, "_rels", f"{name}.rels").lower())
    found: dict[str, tuple[str, str]] = {}

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship" and attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "")
            at = target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
            kind = attributes.get("Type", "").rpartition("/")[2]
            found[attributes.get("Id", "")] = (kind, posixpath.normpath(at))

    if part is not None:
        parse(archive, part, _SMALL_PART, start)
    return found


def _sheets(
    book: Workbook,
    archive: zipfile.ZipFile,
    main: str,
    relations: dict[str, tuple[str, str]],
    names: dict[str, str],
) -> None:
    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "workbookPr":
            book.since_1904 = attributes.get("date1904") in ("1", "true")
        elif tag == "sheet":
            kind, at = relations.get(attributes.get("id", ""), ("", ""))
            part = names.get(at.lower())
            if kind == "worksheet" and part is not None:
                hidden = attributes.get("state", "visible") != "visible"
                book.sheets.append(Sheet(attributes.get("name", ""), part, hidden))

    parse(archive, main, _SMALL_PART, start)


def _strings(archive: zipfile.ZipFile, part: str) -> list[str]:
    """Shared strings; pronunciations (rPh) are no part of them."""
    strings: list[str] = []
    text: list[str] = []
    depth = {"t": 0, "rPh": 0}

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "si":
            text.clear()
        elif tag in depth:
            depth[tag] += 1

    def end(tag: str) -> None:
        if tag == "si":
            strings.append(unescaped("".join(text)))
        elif tag in depth:
            depth[tag] -= 1

    def characters(data: str) -> None:
        if depth["t"] and not depth["rPh"]:
            text.append(data)

    parse(archive, part, MAX_STRINGS_BYTES, start, end, characters)
    return strings


def _styles(archive: zipfile.ZipFile, part: str) -> tuple[frozenset[int], frozenset[int]]:
    """Cell formats that show dates, and those that show text."""
    custom: set[int] = set()
    formats: list[int] = []
    inside = [False]

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "numFmt":
            code = _FORMAT_TEXT.sub("", attributes.get("formatCode", "").split(";")[0]).lower()
            if re.search(r"[yd年日]|m(?!.*0)", code) and not re.search(r"[0#?]", code):
                custom.add(int(attributes.get("numFmtId", "0")))
        elif tag == "cellXfs":
            inside[0] = True
        elif tag == "xf" and inside[0]:
            formats.append(int(attributes.get("numFmtId", "0")))

    def end(tag: str) -> None:
        if tag == "cellXfs":
            inside[0] = False

    parse(archive, part, _SMALL_PART, start, end)
    dates = {at for at, code in enumerate(formats) if code in _BUILT_IN_DATES or code in custom}
    return frozenset(dates), frozenset(at for at, code in enumerate(formats) if code == 49)


_ESCAPE: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")


def unescaped(text: str) -> str:
    """Characters XML cannot hold, written _x000D_; a half of a pair that stands alone is U+FFFD."""
    if "_x" not in text:
        return text
    plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


Start = Callable[[str, dict[str, str]], None]


def parser_of(
    start: Start,
    end: Callable[[str], None] | None = None,
    characters: Callable[[str], None] | None = None,
) -> expat.XMLParserType:
    """A parser that gives names without their namespace and refuses document types, hence
    entities."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def started(tag: str, attributes: dict[str, str]) -> None:
        if any(" " in name for name in attributes):
            plain = {name.rpartition(" ")[2]: value for name, value in attributes.items()}
            start(tag.rpartition(" ")[2], plain)
        else:
            start(tag.rpartition(" ")[2], attributes)

    def no_types(*_: object) -> None:
        raise TableRefused("table-damaged", reason="XLSX: DOCTYPE")

    parser.StartElementHandler = started
    parser.StartDoctypeDeclHandler = no_types
    if end is not None:
        ended = end
        parser.EndElementHandler = lambda tag: ended(tag.rpartition(" ")[2])
    if characters is not None:
        parser.CharacterDataHandler = characters
    return parser


def parse(
    archive: zipfile.ZipFile,
    part: str,
    limit: int,
    start: Start,
    end: Callable[[str], None] | None = None,
    characters: Callable[[str], None] | None = None,
) -> None:
    """Parse a whole part of at most ``limit`` bytes."""
    parser = parser_of(start, end, characters)
    with archive.open(part) as stream:
        for piece in pieces_of(stream, part, limit):
            parser.Parse(piece, False)
        parser.Parse(b"", True)


def pieces_of(stream: IO[bytes], part: str, limit: int) -> Iterator[bytes]:
    """A part piece by piece; whatever the directory claims, not more than ``limit``."""
    size = 0
    while piece := stream.read(_PIECE):
        size += len(piece)
        if size > limit:
            raise TableRefused("table-too-large", what=part[:60], limit=str(limit))
        yield piece
