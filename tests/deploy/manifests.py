"""Rendered manifests as the tests read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final, NamedTuple

import yaml

from kuomian.services import PACKAGES, get_service
from shared.service import Service

Manifest = dict[str, Any]
OVERLAYS: Final = ("local", "city", "province")
CUSTOM_GROUPS: Final = (
    "kafka.strimzi.io/v1",
    "postgresql.cnpg.io/v1",
    "monitoring.coreos.com/v1",
    "external-secrets.io/v1",
    "keda.sh/v1alpha1",
)
"""Kinds whose schemas no offline validator has: judged by assertions of our own."""

SERVICES: Final[Mapping[str, Service]] = {name: get_service(name) for name in PACKAGES}


def roles_of(service: Service) -> set[str]:
    """The roles a service has any use for."""
    roles = {"api"}
    if "outbox_blocks" in service.metadata.tables:
        roles.add("relay")
    if service.subscriptions:
        roles.add("consumer")
    return roles


def producers_of(service: Service) -> set[str]:
    """Whose facts the service consumes."""
    return {subscription.producer for subscription in service.subscriptions}


class Pod(NamedTuple):
    """Pods of one kind: made by a workload here, or by an operator from a custom resource."""

    name: str
    labels: Mapping[str, str]
    ports: frozenset[int]


class Rendered:
    """One overlay, rendered."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.all: list[Manifest] = [found for found in yaml.safe_load_all(text) if found]

    def kind(self, *kinds: str) -> list[Manifest]:
        """All of the kinds."""
        return [found for found in self.all if found["kind"] in kinds]

    def one(self, kind: str, name: str) -> Manifest:
        """The one of the kind and name; generated names without their hash."""
        (found,) = (
            item
            for item in self.kind(kind)
            if item["metadata"]["name"] == name
            or (kind == "ConfigMap" and item["metadata"]["name"].rpartition("-")[0] == name)
        )
        return found

    @cached_property
    def processes(self) -> list[Manifest]:
        """The Deployments: every one is a role of a service."""
        return self.kind("Deployment")

    @cached_property
    def workloads(self) -> list[Manifest]:
        """Everything here that makes pods."""
        return self.kind("Deployment", "StatefulSet", "Job")

    def service_and_role(self, process: Manifest) -> tuple[str, str]:
        """Which service and role a Deployment says it is."""
        labels = process["spec"]["template"]["metadata"]["labels"]
        return labels["app.kubernetes.io/name"], labels["app.kubernetes.io/component"]

    @cached_property
    def pods(self) -> list[Pod]:
        """Every kind of pod in the namespace, those of operators included."""
        found = [
            Pod(
                item["metadata"]["name"],
                item["spec"]["template"]["metadata"]["labels"],
                frozenset(
                    port["containerPort"]
                    for container in item["spec"]["template"]["spec"]["containers"]
                    for port in container.get("ports", ())
                ),
            )
            for item in self.workloads
        ]
        for cluster in self.kind("Cluster"):
            labels = cluster["spec"]["inheritedMetadata"]["labels"]
            found.append(Pod(cluster["metadata"]["name"], labels, frozenset({5432, 8000})))
        for kafka in self.kind("Kafka"):
            name, spec = kafka["metadata"]["name"], kafka["spec"]
            clients = {listener["port"] for listener in spec["kafka"]["listeners"]}
            labels = spec["kafka"]["template"]["pod"]["metadata"]["labels"]
            found.append(Pod(f"{name}-kafka", labels, frozenset({9090, 9091, 8443} | clients)))
            labels = spec["entityOperator"]["template"]["pod"]["metadata"]["labels"]
            found.append(Pod(f"{name}-entity-operator", labels, frozenset()))
        return found

    @cached_property
    def settings(self) -> dict[str, str]:
        """The ConfigMap all processes read."""
        data: dict[str, str] = self.one("ConfigMap", "kuomian-settings")["data"]
        return data


def containers(workload: Manifest) -> Iterator[Manifest]:
    """The containers of a workload's pods."""
    yield from workload["spec"]["template"]["spec"]["containers"]


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector takes something with these labels; an empty one takes all."""
    for key, value in selector.get("matchLabels", {}).items():
        if labels.get(key) != value:
            return False
    for rule in selector.get("matchExpressions", ()):
        value, operator = labels.get(rule["key"]), rule["operator"]
        if operator == "In" and value not in rule["values"]:
            return False
        if operator == "NotIn" and value in rule["values"]:
            return False
        if operator == "Exists" and value is None:
            return False
        if operator == "DoesNotExist" and value is not None:
            return False
    return True
