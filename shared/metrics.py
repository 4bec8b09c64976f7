"""Every metric, in one list: what operators see, under which name, and what it means.

One process may run several services (the all-in-one), so each metric carries ``service``.
No label ever holds a person, an employer or a delivery: cardinality stays small and nothing
personal leaves this way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

REGISTRY: Final = CollectorRegistry()
"""Ours, not the library's global one: it holds what is listed here and the process itself."""
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One line of the list, for ``docs/operations.md`` and the alert rules' test."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    zh: str
    en: str


METRICS: Final[list[MetricRow]] = []
"""Filled by the declarations below, in their order."""


def _listed(
    kind: Literal["counter", "gauge", "histogram"],
    name: str,
    zh: str,
    en: str,
    labels: Sequence[str],
) -> tuple[str, str, tuple[str, ...]]:
    names = ("service", *labels)
    METRICS.append(MetricRow(f"kuomian_{name}", kind, names, zh, en))
    return f"kuomian_{name}", f"{zh} · {en}", names


def _counter(name: str, zh: str, en: str, *labels: str) -> Counter:
    return Counter(*_listed("counter", name, zh, en, labels), registry=REGISTRY)


def _gauge(name: str, zh: str, en: str, *labels: str) -> Gauge:
    return Gauge(*_listed("gauge", name, zh, en, labels), registry=REGISTRY)


def _histogram(name: str, zh: str, en: str, *labels: str) -> Histogram:
    listed = _listed("histogram", name, zh, en, labels)
    return Histogram(*listed, registry=REGISTRY, buckets=_SECONDS)


HTTP_REQUESTS = _counter(
    "http_requests_total", "请求数", "requests answered", "method", "route", "status"
)
HTTP_SECONDS = _histogram(
    "http_request_seconds", "请求耗时(秒)", "time to answer, seconds", "method", "route"
)

DELIVERIES = _counter(
    "deliveries_total",
    "已处理完的报送数(done、rejected)",
    "deliveries dealt with, by how they ended (done, rejected)",
    "feed",
    "outcome",
)
DELIVERY_RECORDS = _counter(
    "delivery_records_total",
    "已处理记录数,按处置",
    "records dealt with, by disposition",
    "feed",
    "disposition",
)
DELIVERY_SECONDS = _histogram(
    "delivery_seconds",
    "从收妥到出具回执(秒)",
    "from the last byte to the receipt, seconds",
    "feed",
)
DELIVERIES_UNFINISHED = _gauge(
    "deliveries_unfinished", "尚未处理完的报送", "deliveries not dealt with yet"
)
RECORDS_HELD = _gauge("records_held", "暂挂的记录", "records held", "feed")
FEED_PERIODS_MISSING = _gauge(
    "feed_periods_missing",
    "逾期未报的期数",
    "periods past due for which nothing has been received",
    "feed",
)

OUTBOX_FACTS = _counter("outbox_facts_sent_total", "已发出的事实", "facts published by the relay")
OUTBOX_UNSENT = _gauge("outbox_unsent_facts", "待发事实数", "facts waiting in the outbox")
OUTBOX_AGE = _gauge(
    "outbox_oldest_unsent_seconds",
    "最早待发事实已等待(秒)",
    "how long the oldest unsent fact has waited",
)

OUTBOX_BEHIND = _gauge(
    "outbox_behind_bus",
    "消息总线上的位置高于本库所发的分区数(数据库曾被恢复到更早时刻,已停止发布)",
    "partitions whose bus names positions not given here: the database was restored to an earlier "
    "moment, nothing is published",
)

INBOX_FACTS = _counter(
    "inbox_facts_total",
    "收到的事实,按结果(applied、dropped、dead)",
    "facts received, by what became of them (applied, dropped, dead)",
    "producer",
    "outcome",
)
INBOX_POSITION = _gauge(
    "inbox_position", "已生效到的位置", "position applied up to", "producer", "partition"
)
INBOX_GAPS = _gauge("inbox_gaps", "未补齐的位置缺口", "position gaps not filled yet")
DEAD_LETTERS_OPEN = _gauge("dead_letters_open", "待处理死信", "dead letters waiting")
CONSUMER_LAG = _gauge(
    "consumer_lag_messages", "消费滞后(条)", "messages not consumed yet", "producer", "partition"
)
CONSUMER_STOPPED = _gauge(
    "consumer_stopped",
    "死信过多而停止消费(1 为已停)",
    "1 when consuming stopped for too many dead letters",
)

WORKER_RESTARTS = _counter(
    "worker_restarts_total",
    "后台任务异常重启次数",
    "worker tasks restarted after a crash",
    "worker",
)
WORKER_WAITS = _counter(
    "worker_waits_total",
    "后台任务因数据库或消息总线不可用而等待的次数",
    "times a worker waited for the database or the bus",
    "worker",
)
DATABASE_UP = _gauge("database_up", "数据库可用(1 为可用)", "1 when the database answers")
CERTIFICATE_EXPIRES = _gauge(
    "certificate_expires_timestamp_seconds",
    "所信任的证书到期时刻(Unix 秒)",
    "when a certificate the service trusts ends, Unix time",
    "certificate",
)


def metrics_page() -> str:
    """The list as a Markdown table."""
    lines = ["| metric | kind | labels | 含义 | meaning |", "|---|---|---|---|---|"]
    for row in METRICS:
        labels = ", ".join(f"`{label}`" for label in row.labels)
        lines.append(f"| `{row.name}` | {row.kind} | {labels} | {row.zh} | {row.en} |")
    return "\n".join(lines) + "\n"
