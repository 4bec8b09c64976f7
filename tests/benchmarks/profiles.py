"""Where a process spends its time while it is measured: py-spy, where it is installed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

TOP: Final = 15
STOP_SECONDS: Final = 30


def py_spy() -> str | None:
    """The program, beside this Python or on the path."""
    beside = Path(sys.executable).with_name("py-spy")
    return str(beside) if beside.exists() else shutil.which("py-spy")


@contextmanager
def profiled(pids: Mapping[str, int], folder: Path, name: str) -> Iterator[None]:
    """Sample the processes and their children during the block; collapsed stacks into
    ``folder/name-process.folded``, the costliest functions to the screen."""
    program = py_spy()
    if program is None:
        raise RuntimeError("PROFILE=1 needs py-spy: pip install py-spy")
    folder.mkdir(parents=True, exist_ok=True)
    spies: dict[Path, subprocess.Popen[bytes]] = {}
    for process, pid in pids.items():
        out = folder / f"{name.replace(' ', '-')}-{process}.folded"
        command = [program, "record", "--pid", str(pid), "--subprocesses", "--format", "raw"]
        command += ["--rate", "200", "--duration", "unlimited", "--output", str(out)]
        spies[out] = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
    try:
        yield
    finally:
        for out, spy in spies.items():
            with contextlib.suppress(ProcessLookupError):
                os.kill(spy.pid, signal.SIGINT)
            try:
                spy.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                spy.kill()
            if out.exists():
                print(summary(out.name, out.read_text("utf-8", "replace")), flush=True)  # noqa: T201


def summary(title: str, folded: str) -> str:
    """The functions with most samples of their own, and those with most below them."""
    own, below, total = costs(folded)
    lines = [f"    {title}: {total} samples"]
    for heading, counted in (("own", own), ("with what it calls", below)):
        lines.append(f"      {heading}")
        lines += [
            f"        {100 * samples / total:5.1f} %  {function}"
            for function, samples in counted.most_common(TOP)
        ]
    return "\n".join(lines)


def costs(folded: str) -> tuple[Counter[str], Counter[str], int]:
    """Samples by function: its own, those below it (once each), and all. Pure."""
    own: Counter[str] = Counter()
    below: Counter[str] = Counter()
    total = 0
    for line in folded.splitlines():
        stack, _, samples = line.rpartition(" ")
        if not samples.isdigit():
            continue
        functions = [_plain(one) for one in stack.split(";") if "(" in one and ":" in one]
        functions = [one for one in functions if not one.startswith((" ", "process "))] or ["?"]
        number = int(samples)
        total += number
        own[functions[-1]] += number
        below.update(dict.fromkeys(functions, number))
    return own, below, total


def _plain(frame: str) -> str:
    """``function (file:line)`` without the line, so that a function is one."""
    name, _, place = frame.partition(" (")
    return f"{name} ({place.rpartition(':')[0] or place.rstrip(')')})" if place else name
