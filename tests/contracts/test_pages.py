"""The written pages keep to the code: generated ones are what it prints, and commands, routes,
settings, metrics, log events and links that hand-written ones name do exist.

    python -m kuomian.docs      # writes the generated pages anew
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from fastapi.routing import iter_route_contexts

from kuomian.cli import app as command_line
from kuomian.docs.api import apps
from kuomian.docs.pages import BEGIN, END, PAGES, with_metrics
from kuomian.services import NAMES
from reporting.trust import rules as trust
from shared.metrics import METRICS
from shared.settings import settings_table

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

WRITTEN = [
    path
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md")))
    if path.exists()
]
written = pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))


def code_of(text: str) -> Iterator[str]:
    """Inline code and the lines of fenced blocks."""
    fences = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    for block in fences.findall(text):
        yield from block.splitlines()
    yield from re.findall(r"`([^`\n]+)`", fences.sub("", text))


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_the_code_says(name: str) -> None:
    path = DOCS / name
    text = path.read_text("utf-8") if path.exists() else ""
    assert text == PAGES[name](text), "python -m kuomian.docs"


def test_the_metrics_go_between_their_markers() -> None:
    page = with_metrics(f"before\n{BEGIN}\nbygone\n{END}\nafter\n")
    assert page.startswith(f"before\n{BEGIN}\n")
    assert page.endswith(f"{END}\nafter\n")
    assert "bygone" not in page
    assert with_metrics(page) == page
    for broken in ("nothing", BEGIN, END + BEGIN, page + page):
        with pytest.raises(ValueError, match="needs one"):
            with_metrics(broken)


def commands(text: str) -> Iterator[list[str]]:
    """What follows ``kuomian`` wherever a page shows a command."""
    for code in code_of(text):
        for found in re.findall(r"(?:^|[(=] ?|\b\w+=\S+ |\btime )kuomian ([a-z][^`|)#…]*)", code):
            yield shlex.split(found)


def unknown_in(words: list[str]) -> str | None:
    """What of a command the command line does not know."""
    command: Any = typer.main.get_command(command_line)
    rest = list(words)
    while subcommands := getattr(command, "commands", None):
        if not rest:
            return None
        name = rest.pop(0)
        if name not in subcommands:
            return name
        command = subcommands[name]
    options = {option for param in command.params for option in param.opts} | {"--help", "-h"}
    return next((word for word in rest if word.startswith("-") and word not in options), None)


@written
def test_commands_exist(path: Path) -> None:
    found = [(words, unknown_in(words)) for words in commands(path.read_text("utf-8"))]
    assert [one for one in found if one[1]] == []
    assert found or path.name != "operations.md"


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("`kuomian serve tax-feed --role api`", None),
        ("`DATABASE_URL=postgresql://… kuomian migrate all`", None),
        ("```sh\nTOKEN=$(kuomian token tax)   # comment\n```", None),
        ("`kuomian dead-letters drop 7`", "drop"),
        ("`kuomian serve --fast`", "--fast"),
    ],
)
def test_commands_are_found(text: str, unknown: str | None) -> None:
    (words,) = commands(text)
    assert unknown_in(words) == unknown


@pytest.fixture(scope="module")
def routes() -> set[tuple[str, str]]:
    """Method and path of everything that is served."""
    return {
        (method, re.sub(r":[a-z]+}", "}", str(route.path)))
        for _, app in apps()
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
    }


def named_routes(text: str) -> Iterator[tuple[str, str]]:
    """Method, empty for whichever, and path."""
    for method, path in re.findall(r"\b(GET|POST|PUT|PATCH|DELETE) (/[^\s`?\"]*)", text):
        yield method, path
    for line in code_of(text):
        for path in re.findall(r"\$URL(/[^\s?\"]+)", line):
            yield ("POST", path)
        if line.startswith("/{service}/"):
            yield ("", line.split("?")[0])


@written
def test_routes_exist(path: Path, routes: set[tuple[str, str]]) -> None:
    served = {
        (m, re.sub(r"{[^}]+}", "{}", known)) for method, known in routes for m in (method, "")
    }

    def exists(method: str, named: str) -> bool:
        plain = re.sub(r"(?<!^/){[^}]+}", "{}", re.sub(r"/feeds/[a-z-]+/", "/feeds/{}/", named))
        asked = {(method, plain.replace("{service}", service, 1)) for service in NAMES}
        return bool(asked & served)

    found = set(named_routes(path.read_text("utf-8")))
    assert {one for one in found if not exists(*one)} == set()
    assert found or path.name not in ("operations.md", "api.md")


def environment() -> set[str]:
    """Variables the product reads: settings, and what commands take from the environment."""
    known = {row.env for row in settings_table()} | {"SECRETS_DIR"}
    pending: list[Any] = [typer.main.get_command(command_line)]
    while pending:
        command = pending.pop()
        pending += getattr(command, "commands", {}).values()
        known |= {str(param.envvar) for param in command.params if param.envvar}
    return known


@pytest.mark.parametrize("name", ["operations.md", "performance.md", "api.md"])
def test_settings_and_metrics_exist(name: str) -> None:
    codes = set(code_of((DOCS / name).read_text("utf-8")))
    variables = {found[1] for code in codes if (found := re.fullmatch(r"([A-Z]+_[A-Z_]+)", code))}
    assert variables - environment() == set()
    metrics = {code for code in codes if re.fullmatch(r"kuomian_[a-z_]+", code)}
    assert metrics - {row.name for row in METRICS} == set()


def test_log_events_exist() -> None:
    page = (DOCS / "operations.md").read_text("utf-8")
    section = page.split("## Logs", 1)[1].split("\n## ", 1)[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    events = {event for cell in cells for event in re.findall(r"`([^`]+)`", cell)} - {"event"}
    source = "".join(path.read_text("utf-8") for path in (ROOT / "shared").rglob("*.py"))
    assert len(events) > 8
    assert {event for event in events if f'"{event}"' not in source} == set()


def test_every_reason_of_trust_has_an_answer() -> None:
    everything = trust.Findings(
        missing=(trust.Owed("x", "y"),),
        late=(trust.Owed("x", "y"),),
        held=1,
        rejected=1,
        dead_letters=1,
        gaps=1,
        stopped=True,
        on_the_way=1,
        unknown_producers=("x",),
        unplaced_units=("x",),
        unknown_employers=1,
    )
    _, reasons = trust.judge(everything)
    codes = set(code_of((DOCS / "operations.md").read_text("utf-8")))
    assert {reason.code for reason in reasons} - codes == set()


@written
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8"))
    local = [link.split("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    assert [link for link in local if not (path.parent / link).exists()] == []


def test_the_glossary_names_what_is_in_the_code() -> None:
    rows = [
        line.split("|")[3]
        for line in (DOCS / "glossary.md").read_text("utf-8").splitlines()
        if line.startswith("| ") and "in code" not in line
    ]
    names = {name for cell in rows for name in re.findall(r"`([^`]+)`", cell)}
    source = "".join(
        path.read_text("utf-8")
        for folder in ("shared", "services", "deploy")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".yaml")
    )
    assert len(names) > 40
    known = set(re.findall(r"[\w-]+", source))
    classes = set(re.findall(r"^(?:class )?([A-Z][a-zA-Z]+)\b(?=[(:]| = )", source, re.MULTILINE))
    assert {n for n in names if n not in (classes if n[0].isupper() else known)} == set()
