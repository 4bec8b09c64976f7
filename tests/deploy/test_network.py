"""Closed by default, and every way that is opened is opened at both ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.deploy.manifests import Pod, Rendered, selects


class Way(NamedTuple):
    """From pods to pods of the namespace, at a port."""

    source: str
    target: str
    port: int


def ways(rendered: Rendered, direction: str) -> Iterator[Way]:
    """What the policies open in one direction between pods of the namespace."""
    far_end = {"ingress": "from", "egress": "to"}[direction]
    for policy in rendered.kind("NetworkPolicy"):
        near = [pod for pod in rendered.pods if selects(policy["spec"]["podSelector"], pod.labels)]
        for rule in policy["spec"].get(direction, ()):
            for peer in rule.get(far_end, ()):
                if "namespaceSelector" in peer or "ipBlock" in peer:
                    continue
                far = [pod for pod in rendered.pods if selects(peer["podSelector"], pod.labels)]
                yield from _between(near, far, direction, rule["ports"])


def _between(
    near: list[Pod], far: list[Pod], direction: str, ports: list[Mapping[str, Any]]
) -> Iterator[Way]:
    for one in near:
        for other in far:
            source, target = (other, one) if direction == "ingress" else (one, other)
            for port in ports:
                yield Way(source.name, target.name, port["port"])


def test_nothing_is_open_that_no_policy_opens(overlay: Rendered) -> None:
    closed = overlay.one("NetworkPolicy", "closed")["spec"]
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_every_way_out_is_a_way_in(overlay: Rendered) -> None:
    out, into = set(ways(overlay, "egress")), set(ways(overlay, "ingress"))
    assert out == into, f"only out: {sorted(out - into)}\nonly in: {sorted(into - out)}"
    assert len(out) > 20


def test_ways_lead_to_ports_somebody_listens_at(overlay: Rendered) -> None:
    listening = {pod.name: pod.ports for pod in overlay.pods}
    for way in ways(overlay, "ingress"):
        assert way.port in listening[way.target], way


def test_the_ways_are_those_needed(overlay: Rendered) -> None:
    processes = {
        process["metadata"]["name"]: overlay.service_and_role(process)
        for process in overlay.processes
    }
    jobs = {job["metadata"]["name"] for job in overlay.kind("Job")}
    (database,) = (pod for pod in overlay.pods if pod.labels.get("kuomian/part") == "database")
    (broker,) = (pod for pod in overlay.pods if pod.labels.get("kuomian/part") == "broker")
    needed = {Way(name, database.name, 5432) for name in {*processes, *jobs}}
    for name, (service, role) in processes.items():
        if role != "api":
            needed.add(Way(name, broker.name, 9093))
        elif service == "reporting":
            others = (n for n, (s, r) in processes.items() if r == "api" and s != "reporting")
            needed |= {Way(name, other, 8000) for other in others}
    ours = {way for way in ways(overlay, "egress") if way.source in {*processes, *jobs}}
    assert ours == needed
    (reach_kafka,) = {
        address.rpartition(":")[2]
        for address in overlay.settings["KAFKA_BOOTSTRAP_SERVERS"].split(",")
    }
    assert reach_kafka == "9093"


def test_from_other_namespaces_only_named_pods_and_ports_come(overlay: Rendered) -> None:
    for policy in overlay.kind("NetworkPolicy"):
        for rule in policy["spec"].get("ingress", ()):
            assert rule["from"] and rule["ports"], policy["metadata"]["name"]
            for peer in rule["from"]:
                space = peer.get("namespaceSelector", {}).get("matchLabels", {"": ""})
                assert space, policy["metadata"]["name"]


def test_outside_the_namespace_only_names_and_the_collector_are_reached(
    overlay: Rendered,
) -> None:
    """The collector only where spans are sent to one, by every process, at the port they use."""
    reached: dict[tuple[str, int], set[str]] = {}
    for policy in overlay.kind("NetworkPolicy"):
        selector = policy["spec"]["podSelector"]
        near = {pod.name for pod in overlay.pods if selects(selector, pod.labels)}
        for rule in policy["spec"].get("egress", ()):
            for peer in rule.get("to", ()):
                assert "ipBlock" not in peer
                if "namespaceSelector" in peer:
                    assert peer["podSelector"]["matchLabels"], "a whole namespace"
                    space = peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
                    for port in rule["ports"]:
                        reached.setdefault((space, port["port"]), set()).update(near)
    processes = {process["metadata"]["name"] for process in overlay.processes}
    assert reached.pop(("kube-system", 53)) == {pod.name for pod in overlay.pods}
    endpoint = overlay.settings.get("OTLP_ENDPOINT")
    if endpoint is None:
        assert reached == {}
        return
    found = urlsplit(endpoint)
    assert found.hostname is not None
    _, namespace, kind = found.hostname.split(".")
    assert kind == "svc"
    assert reached == {(namespace, found.port): processes}


def test_only_operators_pods_reach_the_cluster_s_own_api(overlay: Rendered) -> None:
    """The one opening without a peer; pods here must have none of it."""
    for policy in overlay.kind("NetworkPolicy"):
        for rule in policy["spec"].get("egress", ()):
            if "to" not in rule:
                assert {port["port"] for port in rule["ports"]} == {443, 6443}
                selector = policy["spec"]["podSelector"]
                reached = [pod.name for pod in overlay.pods if selects(selector, pod.labels)]
                assert set(reached) <= {"kuomian-postgres", "kuomian-entity-operator"}
