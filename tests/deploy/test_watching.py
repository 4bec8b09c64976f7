"""Alerts and the board ask for metrics there are, by labels these have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from shared.metrics import METRICS
from tests.deploy import tools
from tests.deploy.manifests import Rendered

KNOWN = {row.name: row for row in METRICS}
HISTOGRAM_PARTS = ("_bucket", "_sum", "_count")
BOARD = tools.ROOT / "deploy/k8s/components/monitoring/dashboard.json"
RUNBOOK = tools.ROOT / "docs/alerts.md"
# Labels that Prometheus adds, and what a histogram's buckets have.
ADDED = {"le", "job", "pod", "namespace", "role"}


def rules(overlays: dict[str, Rendered]) -> list[dict[str, Any]]:
    (found,) = overlays["city"].kind("PrometheusRule")
    (group,) = found["spec"]["groups"]
    listed: list[dict[str, Any]] = group["rules"]
    return listed


def panels() -> Iterator[dict[str, Any]]:
    board = json.loads(BOARD.read_text("utf-8"))
    yield from (panel for panel in board["panels"] if panel["type"] != "row")


def queries(overlays: dict[str, Rendered]) -> dict[str, str]:
    asked = {rule["alert"]: rule["expr"] for rule in rules(overlays)}
    for panel in panels():
        for target in panel["targets"]:
            asked[f"{panel['title']} {target['refId']}"] = (
                target["expr"].replace("$__rate_interval", "5m").replace("$service", ".*")
            )
    return asked


def metric_of(name: str) -> str:
    """The listed name of a series: a histogram's parts belong to it."""
    for part in HISTOGRAM_PARTS:
        whole = name.removesuffix(part)
        if whole != name and whole in KNOWN and KNOWN[whole].kind == "histogram":
            return whole
    return name


def test_every_query_asks_for_metrics_and_labels_there_are(overlays: dict[str, Rendered]) -> None:
    for asker, query in queries(overlays).items():
        names = set(re.findall(r"\bkuomian_[a-z_]+", query))
        assert names or "process_" in query, asker
        labels: set[str] = set()
        for name in names:
            assert metric_of(name) in KNOWN, f"{asker}: no metric {name}"
            labels |= set(KNOWN[metric_of(name)].labels)
        used = {
            label.strip()
            for group in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", query)
            for label in group.split(",")
        }
        used |= set(re.findall(r"([a-z_]+)\s*=~?\s*\"", query))
        assert used <= labels | ADDED, f"{asker}: {used - labels - ADDED}"


def test_counters_are_asked_for_their_rate(overlays: dict[str, Rendered]) -> None:
    for asker, query in queries(overlays).items():
        for name in set(re.findall(r"\bkuomian_[a-z_]+", query)):
            counted = KNOWN[metric_of(name)].kind != "gauge"
            inside = re.search(rf"(?:rate|increase)\(\s*{name}", query) is not None
            assert inside is counted, f"{asker}: {name}"


def test_every_query_can_be_read(overlays: dict[str, Rendered]) -> None:
    reader = (
        "import json, sys, promql_parser\n"
        "for asker, query in json.load(sys.stdin).items():\n"
        "    try: promql_parser.parse(query)\n"
        "    except Exception as error: print(asker, error)\n"
    )
    python = str(tools.checkers() / "python")
    assert tools.run(python, "-c", reader, given=json.dumps(queries(overlays))) == ""


def test_what_has_to_wake_somebody_does(overlays: dict[str, Rendered]) -> None:
    asked = " ".join(rule["expr"] for rule in rules(overlays))
    for metric in (
        "kuomian_consumer_lag_messages",
        "kuomian_outbox_oldest_unsent_seconds",
        "kuomian_dead_letters_open",
        "kuomian_consumer_stopped",
        "kuomian_feed_periods_missing",
        "kuomian_inbox_gaps",
        "kuomian_deliveries_unfinished",
        "kuomian_database_up",
        "kuomian_certificate_expires_timestamp_seconds",
    ):
        assert metric in asked


def test_every_alert_has_a_runbook_entry_and_words(overlays: dict[str, Rendered]) -> None:
    entries = re.findall(r"^## (\w+)$", RUNBOOK.read_text("utf-8"), re.MULTILINE)
    found = rules(overlays)
    assert sorted(entries) == sorted(rule["alert"] for rule in found)
    for rule in found:
        notes = rule["annotations"]
        assert notes["runbook"] == f"docs/alerts.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert re.search(r"[\u4e00-\u9fff]", notes["summary"])
        assert notes["description"].isascii() or "—" in notes["description"]


def test_the_board_shows_every_metric(overlays: dict[str, Rendered]) -> None:
    shown = {
        metric_of(name)
        for panel in panels()
        for target in panel["targets"]
        for name in re.findall(r"\bkuomian_[a-z_]+", target["expr"])
    }
    assert shown == set(KNOWN)
    board = json.loads(BOARD.read_text("utf-8"))
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(numbers) == len(set(numbers))
    held = overlays["city"].one("ConfigMap", "kuomian-dashboard")
    assert held["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(held["data"]["kuomian.json"]) == board
