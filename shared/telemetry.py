"""What operators see of a running process: logs without personal data, and traces that hold
together from HTTP through outbox and bus to the handler (W3C Trace Context).

Every log line carries the trace id and, inside a service's work, its name. Anything that looks
like an identity number is masked in whatever is logged, tracebacks included: the last gate, for
when code that should not have logged it did.
"""

from __future__ import annotations

import logging
import re
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor

from shared.crypto import mask_identity
from shared.identifiers import identity_form_problem
from shared.settings import Settings

# 15 or 18 characters, or the tax numbers of owners made of them (17 and 20): a run of digits,
# the last perhaps X, not part of a longer run.
# Full-width digits are digits too: senders type them.
_IDENTITY: Final = re.compile(
    r"(?<!\d)(?:\d{20}|\d{17}[\dXxＸｘ](?:[0０]{2})?|\d{15}(?:[0０]{2})?)(?!\d)"
)
_EIGHTEEN: Final = re.compile(r"[0-9]{18,}")
_TRACEPARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(frozen=True, slots=True)
class Trace:
    """One span of a trace: 32 and 16 lower-case hexadecimal digits, never all zero."""

    trace_id: str
    span_id: str
    sampled: bool = True

    @property
    def traceparent(self) -> str:
        """The W3C header value, version 00."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"

    def child(self) -> Trace:
        """A new span of the same trace."""
        return Trace(self.trace_id, secrets.token_hex(8), self.sampled)


def new_trace() -> Trace:
    """A trace that begins here."""
    return Trace(secrets.token_hex(16), secrets.token_hex(8))


def parse_traceparent(value: str | None) -> Trace | None:
    """The trace in a ``traceparent``; None for none or anything invalid, which the standard
    says to ignore (W3C Trace Context §3.2). Versions above 00 are read as far as known."""
    found = _TRACEPARENT.fullmatch(value or "")
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or not trace_id.strip("0"):
        return None
    if not span_id.strip("0") or _names_somebody(trace_id):
        return None
    return Trace(trace_id, span_id, bool(int(flags, 16) & 1))


def _names_somebody(trace_id: str) -> bool:
    """Whether a valid identity number stands in a trace id that a caller chose: it would be shown
    everywhere. One in ten million that were drawn by chance is given up with them."""
    return any(
        identity_form_problem(run[0][start : start + 18]) is None
        for run in _EIGHTEEN.finditer(trace_id)
        for start in range(len(run[0]) - 17)
    )


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current_trace() -> Trace | None:
    """The span this code runs in."""
    return _current.get()


def current_traceparent() -> str | None:
    """What to hand on with work done later: outbox blocks, deliveries, calls to others."""
    trace = _current.get()
    return trace.traceparent if trace else None


@contextmanager
def tracing(traceparent: str | None) -> Iterator[Trace]:
    """Run a block as a child of ``traceparent``, or as a new trace without a valid one."""
    parent = parse_traceparent(traceparent)
    with within(parent.child() if parent else new_trace()) as trace:
        yield trace


@contextmanager
def within(trace: Trace) -> Iterator[Trace]:
    """Run a block as that very span (``shared.spans`` makes one for a collector to see)."""
    token = _current.set(trace)
    try:
        yield trace
    finally:
        _current.reset(token)


def masked(value: Any) -> Any:
    """The value with everything masked that looks like an identity number, however deep."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) < 10**14:
        return value
    if isinstance(value, Mapping):
        return {masked(key): masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(item) for item in value]
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return _IDENTITY.sub(lambda found: mask_identity(found[0]), text)


def mask_identities(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """structlog processor: ``masked`` over every value of the line but the trace id, which may
    hold a long run of digits by chance and would lead nowhere if it were starred."""
    return {key: value if key == "trace_id" else masked(value) for key, value in event.items()}


def add_trace(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """structlog processor: the trace id of the running work, when there is one."""
    trace = _current.get()
    if trace is not None:
        event.setdefault("trace_id", trace.trace_id)
    return event


def configure_logging(settings: Settings) -> None:
    """Log to standard error in the settings' format, library logs included. May be repeated."""
    level = getattr(logging, settings.log_level.upper())
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_trace,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            mask_identities,
            renderer,
        ],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("uvicorn", "uvicorn.error", "uvicorn.access", "aiokafka", "alembic"):
        logger = logging.getLogger(noisy)
        logger.handlers[:] = []
        logger.propagate = noisy != "uvicorn.access"  # requests are logged by our middleware
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
