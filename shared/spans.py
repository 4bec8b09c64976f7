"""Spans of work for an OpenTelemetry collector: one per request, chunk, block sent and batch
applied, never per record.

A span continues the trace its work belongs to (``shared.telemetry``), so one trace id leads from
the request through outbox and bus to the figure. Work of several traces at once begins a trace of
its own and links to theirs. Without a collector nothing is made but the trace itself.

Nothing personal leaves this way: names and attributes are said here by our code (route templates,
feeds, counts, ids of deliveries), never a path, a query, a header or an error's words; whatever
looks like an identity number is masked all the same.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)

from shared.settings import Settings
from shared.telemetry import Trace, masked, new_trace, parse_traceparent, within

__all__ = ["SpanKind", "Work", "configure_tracing", "spanning", "stop_tracing", "traced"]

LINKS: Final = 32
"""Most traces one span links to; a batch may hold facts of many deliveries."""
GOODBYE_SECONDS: Final = 3.0
"""How long the process's end waits for the last spans to be sent."""


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of work under way: its trace, and its span where spans are sent."""

    trace: Trace
    span: Span | None

    @property
    def sent(self) -> bool:
        """Whether a collector will hear of it."""
        return self.span is not None

    def name(self, name: str) -> None:
        """Give the span the name that only the work's end tells."""
        if self.span is not None:
            self.span.update_name(str(masked(name)))

    def note(self, **attributes: str | int | bool | None) -> None:
        """Set attributes; ``__`` in a name stands for a point. None is left out."""
        if self.span is not None:
            for name, value in attributes.items():
                if value is not None:
                    self.span.set_attribute(name.replace("__", "."), masked(value))

    def failed(self, kind: str) -> None:
        """Mark the span as failed by an error of that kind; an error's words may name a person."""
        if self.span is not None:
            self.span.set_attribute("error.type", kind)
            self.span.set_status(StatusCode.ERROR)


class _Sending:
    """The one way out of this process, and a tracer for each service in it."""

    def __init__(self, exporter: SpanExporter) -> None:
        self.exporter = exporter
        self.processor = BatchSpanProcessor(exporter)
        self._tracers: dict[str, Tracer] = {}

    def tracer(self, service: str) -> Tracer:
        """Spans of it bear the service's name as their resource."""
        tracer = self._tracers.get(service)
        if tracer is None:
            about = {"service.name": service, "service.namespace": "kuomian"}
            provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
            provider.add_span_processor(self.processor)
            tracer = self._tracers[service] = provider.get_tracer("kuomian")
        return tracer

    def end(self) -> None:
        """Send what waits; a collector that does not answer in time is given up."""
        ending = threading.Thread(target=self.processor.shutdown, daemon=True)
        ending.start()
        ending.join(GOODBYE_SECONDS)
        if ending.is_alive():
            self.exporter.shutdown()  # breaks off its waiting between tries
            ending.join(GOODBYE_SECONDS)


_sending: _Sending | None = None


def configure_tracing(settings: Settings) -> bool:
    """Send spans to the collector ``OTLP_ENDPOINT`` names (OTLP over HTTP); returns whether.

    Sending happens in a thread of its own and never delays or fails the work: what cannot be sent
    is dropped. ``stop_tracing`` sends what is left.
    """
    global _sending  # noqa: PLW0603 - like logging, the process has one way out
    if settings.otlp_endpoint is None:
        return False
    # Half a second to import, and most processes of a small place have no collector.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )

    stop_tracing()
    endpoint = settings.otlp_endpoint.rstrip("/") + "/v1/traces"
    _sending = _Sending(OTLPSpanExporter(endpoint=endpoint))
    return True


def stop_tracing() -> None:
    """Send what waits, as far as the collector takes it, and send nothing from then on."""
    global _sending
    stopping, _sending = _sending, None
    if stopping is not None:
        stopping.end()


@asynccontextmanager
async def traced(settings: Settings) -> AsyncIterator[bool]:
    """Send spans while the block runs, its end included; gives whether they are sent."""
    sending = configure_tracing(settings)
    try:
        yield sending
    finally:
        await asyncio.to_thread(stop_tracing)


@contextmanager
def spanning(
    service: str,
    name: str,
    parents: Iterable[str | None] = (),
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    **attributes: str | int | bool | None,
) -> Iterator[Work]:
    """Run a block as one piece of the service's work.

    ``parents``: the ``traceparent`` of everything it works on. When all are of one trace the
    block continues it, else it begins a trace. An exception marks the span and goes on.
    """
    known = [trace for one in dict.fromkeys(parents) if (trace := parse_traceparent(one))]
    parent = known[0] if known and all(k.trace_id == known[0].trace_id for k in known) else None
    if _sending is None:
        with within(parent.child() if parent else new_trace()) as trace:
            yield Work(trace, None)
        return
    links = [Link(_context(trace)) for trace in known[:LINKS] if trace is not parent]
    span = _sending.tracer(service).start_span(
        str(masked(name)),
        set_span_in_context(NonRecordingSpan(_context(parent)), Context()) if parent else Context(),
        kind,
        links=links,
    )
    own = span.get_span_context()
    trace = Trace(f"{own.trace_id:032x}", f"{own.span_id:016x}", own.trace_flags.sampled)
    work = Work(trace, span)
    work.note(**attributes)
    try:
        with within(trace):
            yield work
    except Exception as error:
        work.failed(type(error).__name__)
        raise
    finally:
        span.end()


def _context(trace: Trace) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if trace.sampled else TraceFlags.DEFAULT)
    return SpanContext(
        int(trace.trace_id, 16), int(trace.span_id, 16), is_remote=True, trace_flags=flags
    )
