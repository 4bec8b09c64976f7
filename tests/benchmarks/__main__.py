"""``make bench``: measure the product against what this machine can do, and say so.

What is asked for comes from the environment: ``QUICK``, ``ONLY`` (names, commas between),
``ROUNDS``, ``PIN``, ``COMPARE`` (an earlier run's file), ``PROFILE``, ``DEMO``, ``GROWTH``,
``WRITE`` (1: into docs/performance.md even from a part or a quick run; 0: never).
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from shared.settings import settings_table
from tests.benchmarks import table
from tests.benchmarks.machine import BUSY, ROOT, Placing, described, load_average
from tests.benchmarks.measures import CHAPTERS
from tests.benchmarks.plan_of_run import FULL, QUICK, TUNING, Run
from tests.benchmarks.profiles import profiled
from tests.benchmarks.rounds import (
    Alternative,
    Figure,
    LeftOut,
    Measure,
    as_json,
    run_rounds,
)
from tests.benchmarks.stage import Stage

RECORDS: Final = ROOT / ".data" / "bench"
PAGE: Final = ROOT / "docs" / "performance.md"


class Asked:
    """The environment, read once; settings of services that are not for tuning are dropped from
    it, so that what happens to be set does not change what is measured."""

    def __init__(self) -> None:
        environment = os.environ
        self.quick = _is_on(environment.get("QUICK"))
        self.only = [name for name in environment.get("ONLY", "").split(",") if name]
        self.rounds = int(environment.get("ROUNDS") or 0)
        self.placing = Placing.parse(environment.get("PIN") or "auto")
        self.compare = environment.get("COMPARE")
        self.profile = _is_on(environment.get("PROFILE"))
        self.chapter = next(
            (name for name in CHAPTERS if _is_on(environment.get(name.upper()))), "bench"
        )
        whole = not (self.quick or self.only or self.rounds or self.profile)
        self.write = _is_on(environment.get("WRITE") or ("1" if whole else "0"))
        self.tuned = {name: environment[name] for name in TUNING if environment.get(name)}
        for row in settings_table():
            if row.env not in TUNING:
                environment.pop(row.env, None)

    @property
    def command(self) -> str:
        """The command that asks for the same."""
        words = ["make bench"]
        words += ["QUICK=1"] if self.quick else []
        words += [f"{self.chapter.upper()}=1"] if self.chapter != "bench" else []
        return " ".join(words)


def main() -> int:
    """One run; the exit code says whether everything could be measured, not how fast it was."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is ended
    asked = Asked()
    load = load_average()
    if load > BUSY:
        say(f"机器不空闲 · the machine is busy: load {load:.2f}; figures of this run are noise")
    size = QUICK if asked.quick else FULL
    if asked.rounds:
        size = replace(size, rounds=asked.rounds)
    began = time.monotonic()
    chapter = CHAPTERS[asked.chapter]
    # While a service works the driver is one of those it works for: on the servers' cores.
    with (
        asked.placing.on(asked.placing.server),
        Stage.new(asked.placing, chapter.options) as stage,
    ):
        facts = described(stage.folder) | {
            "cores": str(asked.placing),
            "PostgreSQL": ", ".join(f"{n} {v}" for n, v in stage.shown_settings().items()),
            "rounds": f"{size.rounds}; medians, lowest and highest in brackets",
        }
        if asked.tuned:
            facts["settings"] = ", ".join(f"{n}={v}" for n, v in asked.tuned.items())
        for name, text in facts.items():
            say(f"{name}: {text}")
        run = Run(stage, size)
        measures = [one for one in chapter.measures(run) if _wanted(one.name, asked.only)]
        results = Results(facts)
        for measure in measures:
            results.take(measure, run, asked)
    say(f"\n{time.monotonic() - began:.0f} s")
    results.finish(asked)
    if not measures:
        say(f"没有这样的项目 · no such measure: {', '.join(asked.only)}")
        return 2
    return 1 if results.failed else 0


class Results:
    """What a run has found so far."""

    def __init__(self, facts: Mapping[str, str]) -> None:
        self.facts = {"date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), **facts}
        self.figures: list[Figure] = []
        self.samples: dict[str, Any] = {}
        self.left_out: dict[str, str] = {}
        self.failed: list[str] = []

    def take(self, measure: Measure, run: Run, asked: Asked) -> None:
        """Take one measure, or note why it is left out."""
        say(f"\n{measure.title}")
        rounds = min(run.size.rounds, measure.rounds or run.size.rounds)
        try:
            with measure.world() as alternatives:
                around = _spied(run, asked)
                samples = run_rounds(alternatives, rounds, say, around)
        except LeftOut as reason:
            say(f"    略去 · left out: {reason}")
            self.left_out[measure.name] = str(reason)
            return
        except Exception as error:
            # One measure that fails must not cost the others; the exit code tells.
            traceback.print_exc()
            self.failed.append(measure.name)
            self.left_out[measure.name] = f"failed: {type(error).__name__}: {error}"[:300]
            return
        command = f"{asked.command} ONLY={measure.name}"
        for figure in measure.read(samples):
            self.figures.append(replace(figure, command=figure.command or command))
            say(f"  {figure.what}: {figure.value} {table.MET[figure.met]}")
        self.samples[measure.name] = as_json(samples)

    def finish(self, asked: Asked) -> None:
        """Print, keep, compare and, where asked, write the page."""
        text = table.markdown(self.figures, self.facts, self.left_out)
        say(f"\n{text}\n")
        kept = RECORDS / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
        RECORDS.mkdir(parents=True, exist_ok=True)
        document = {
            "facts": self.facts,
            "figures": table.as_json(self.figures),
            "samples": self.samples,
            "left_out": self.left_out,
        }
        kept.write_text(json.dumps(document, ensure_ascii=False, indent=1), "utf-8")
        say(f"记录 · kept in {kept.relative_to(ROOT)}  (COMPARE={kept.relative_to(ROOT)})")
        if asked.compare:
            before = json.loads(Path(asked.compare).read_text("utf-8"))
            say(f"\n与 · against {asked.compare}")
            for line in table.compared(self.samples, before["samples"]):
                say(f"  {line}")
        if asked.write:
            page = PAGE.read_text("utf-8")
            PAGE.write_text(table.replaced(page, asked.chapter, text), "utf-8")
            say(f"已写入 · written into {PAGE.relative_to(ROOT)}")


def _spied(run: Run, asked: Asked) -> Callable[[Alternative], AbstractContextManager[None]]:
    def around(one: Alternative) -> AbstractContextManager[None]:
        if not asked.profile or one.name.startswith(("copy", "limit")) or not run.pids:
            return nullcontext()
        return profiled(run.pids, RECORDS / "profiles", one.name)

    return around


def _wanted(name: str, only: Sequence[str]) -> bool:
    return not only or name in only


def _is_on(text: str | None) -> bool:
    return (text or "").lower() in ("1", "yes", "true")


def say(text: str) -> None:
    """One line to the reader, at once."""
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
