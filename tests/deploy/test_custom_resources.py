"""Resources of operators, which no offline validator knows: judged by what the services declare."""

from __future__ import annotations

from typing import Any

import pytest

from kuomian.data_dir import KEYS
from shared.events import topic_of
from tests.deploy.manifests import SERVICES, Rendered, producers_of

CLUSTER = {"strimzi.io/cluster": "kuomian"}


@pytest.fixture(params=["city", "province"])
def cluster(request: pytest.FixtureRequest, overlays: dict[str, Rendered]) -> Rendered:
    """The overlays that run on operators."""
    return overlays[request.param]


def test_api_versions_are_those_served_today(cluster: Rendered) -> None:
    expected = {
        "Kafka": "kafka.strimzi.io/v1",
        "KafkaNodePool": "kafka.strimzi.io/v1",
        "KafkaTopic": "kafka.strimzi.io/v1",
        "KafkaUser": "kafka.strimzi.io/v1",
        "Cluster": "postgresql.cnpg.io/v1",
        "Database": "postgresql.cnpg.io/v1",
        "ScheduledBackup": "postgresql.cnpg.io/v1",
        "ExternalSecret": "external-secrets.io/v1",
        "ScaledObject": "keda.sh/v1alpha1",
        "TriggerAuthentication": "keda.sh/v1alpha1",
        "ServiceMonitor": "monitoring.coreos.com/v1",
        "PrometheusRule": "monitoring.coreos.com/v1",
    }
    for found in cluster.kind(*expected):
        assert found["apiVersion"] == expected[found["kind"]]


def test_topics_are_those_published_to(cluster: Rendered) -> None:
    topics = {topic["metadata"]["name"]: topic for topic in cluster.kind("KafkaTopic")}
    assert set(topics) == {topic_of(name) for name in SERVICES}
    pool = cluster.one("KafkaNodePool", "combined")
    for topic in topics.values():
        assert topic["metadata"]["labels"] == CLUSTER
        assert str(topic["spec"]["partitions"]) == cluster.settings["TOPIC_PARTITIONS"]
        assert topic["spec"]["replicas"] == 3 <= pool["spec"]["replicas"]
        assert topic["spec"]["config"]["min.insync.replicas"] == 2
        assert topic["spec"]["config"]["compression.type"] == "zstd"


def test_users_may_do_what_their_service_does_and_nothing_else(cluster: Rendered) -> None:
    users = {user["metadata"]["name"]: user["spec"] for user in cluster.kind("KafkaUser")}
    assert set(users) == set(SERVICES)
    for name, service in SERVICES.items():
        assert users[name]["authentication"] == {"type": "scram-sha-512"}
        may = {
            (rule["resource"]["type"], rule["resource"]["name"]): set(rule["operations"])
            for rule in users[name]["authorization"]["acls"]
        }
        # It reads the end of its own topic before it begins to send.
        needs = {("topic", topic_of(name)): {"Read", "Write", "Describe"}}
        for producer in producers_of(service):
            needs.setdefault(("topic", topic_of(producer)), {"Read", "Describe"})
            needs["group", name] = {"Read", "Describe"}
        assert may == needs, name
        for rule in users[name]["authorization"]["acls"]:
            assert rule["resource"]["patternType"] == "literal"
            assert rule.keys() == {"resource", "operations"}


def test_processes_reach_the_broker_by_what_it_offers(cluster: Rendered) -> None:
    (kafka,) = cluster.kind("Kafka")
    (listener,) = kafka["spec"]["kafka"]["listeners"]
    assert kafka["metadata"]["name"] == "kuomian"
    assert cluster.settings["KAFKA_BOOTSTRAP_SERVERS"] == (
        f"kuomian-kafka-bootstrap:{listener['port']}"
    )
    assert listener["tls"] is True
    assert cluster.settings["KAFKA_SECURITY_PROTOCOL"] == "SASL_SSL"
    assert listener["authentication"]["type"] == cluster.settings["KAFKA_SASL_MECHANISM"].lower()
    assert kafka["spec"]["kafka"]["config"]["auto.create.topics.enable"] is False
    assert kafka["spec"]["kafka"]["authorization"] == {"type": "simple"}
    # KafkaUser tax-feed → Secret kafka-tax-feed, which its processes mount.
    assert kafka["spec"]["entityOperator"]["userOperator"]["secretPrefix"] == "kafka-"
    assert kafka["spec"]["kafka"]["version"].startswith("4.3.")


def test_a_database_and_a_role_per_service_and_no_way_into_another_s(cluster: Rendered) -> None:
    postgres = cluster.one("Cluster", "kuomian-postgres")["spec"]
    roles = {role["name"]: role["passwordSecret"]["name"] for role in postgres["managed"]["roles"]}
    databases = {d["spec"]["name"]: d["spec"] for d in cluster.kind("Database")}
    assert set(roles) == set(databases)
    for name in SERVICES:
        own = name.replace("-", "_")
        assert roles[own] == f"database-{name}"
        assert databases[own]["owner"] == own
        assert databases[own]["cluster"] == {"name": "kuomian-postgres"}
        assert databases[own]["databaseReclaimPolicy"] == "retain"
        allowed = postgres["postgresql"]["pg_hba"].index(f"hostssl {own} {own} all scram-sha-256")
        assert postgres["postgresql"]["pg_hba"][allowed + 1] == f"host {own} all all reject"
    assert postgres["enableSuperuserAccess"] is False
    assert postgres["instances"] >= 3
    _enough_connections(cluster, int(postgres["postgresql"]["parameters"]["max_connections"]))


def _enough_connections(cluster: Rendered, most: int) -> None:
    """Every process at its largest number has its pool and two direct connections."""
    largest = {
        scaler["spec"]["scaleTargetRef"]["name"]: scaler["spec"].get(
            "maxReplicas", scaler["spec"].get("maxReplicaCount")
        )
        for scaler in cluster.kind("HorizontalPodAutoscaler", "ScaledObject")
    }
    pool = int(cluster.settings.get("DATABASE_POOL_SIZE", 8)) + 2
    processes = sum(
        largest.get(process["metadata"]["name"]) or process["spec"]["replicas"]
        for process in cluster.processes
    )
    assert processes * pool <= most, f"{processes} processes of {pool} connections, {most} allowed"


def test_external_secrets_are_what_the_processes_mount(overlays: dict[str, Rendered]) -> None:
    province = overlays["province"]
    made: dict[str, set[str]] = {}
    for secret in province.kind("ExternalSecret"):
        target = secret["spec"]["target"]
        keys = {data["secretKey"] for data in secret["spec"]["data"]}
        template = target.get("template", {}).get("data")
        made[target["name"]] = set(template) if template else keys
        assert secret["spec"]["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": "kuomian"}
    for name in SERVICES:
        own = name.replace("-", "_")
        assert made[f"database-{name}"] == {"username", "password", "uri"}
        uri = province.one("ExternalSecret", f"database-{name}")["spec"]["target"]["template"]
        assert f"@kuomian-postgres-rw:5432/{own}?sslmode=require" in uri["data"]["uri"]
        own_key = "service_token" if name == "reporting" else "hash_keys"
        keys = set(KEYS) - {"hash_keys"} | {own_key}
        assert made[f"keys-{name}"] == keys
    identities = {
        str(data["remoteRef"])
        for secret in province.kind("ExternalSecret")
        for data in secret["spec"]["data"]
        if data["secretKey"] == "hash_keys"
    }
    assert len(identities) == 1, "the keyed hashes of all receiving services must agree"


def test_consumers_scale_on_the_lag_of_all_they_consume(overlays: dict[str, Rendered]) -> None:
    province = overlays["province"]
    scaled = {found["metadata"]["name"]: found["spec"] for found in province.kind("ScaledObject")}
    consuming = {name: service for name, service in SERVICES.items() if producers_of(service)}
    assert set(scaled) == {f"{name}-consumer" for name in consuming}
    for name, service in consuming.items():
        spec = scaled[f"{name}-consumer"]
        asked: dict[str, dict[str, Any]] = {t["metadata"]["topic"]: t for t in spec["triggers"]}
        assert set(asked) == {topic_of(producer) for producer in producers_of(service)}
        for trigger in asked.values():
            assert trigger["type"] == "kafka"
            assert trigger["metadata"]["consumerGroup"] == name
            assert trigger["metadata"]["bootstrapServersFromEnv"] == "KAFKA_BOOTSTRAP_SERVERS"
            assert trigger["authenticationRef"] == {"name": f"{name}-consumer"}
        assert str(spec["maxReplicaCount"]) == province.settings["TOPIC_PARTITIONS"]
        known = province.one("TriggerAuthentication", f"{name}-consumer")["spec"]
        assert [one["name"] for one in known["secretTargetRef"]] == [
            f"kafka-{name}",
            "kuomian-cluster-ca-cert",
        ]


def test_prometheus_reads_every_process_by_its_own_name(cluster: Rendered) -> None:
    (monitor,) = cluster.kind("ServiceMonitor")
    service = cluster.one("Service", "metrics")
    wanted = monitor["spec"]["selector"]["matchLabels"]
    assert wanted.items() <= service["metadata"]["labels"].items()
    for process in cluster.processes:
        labels = process["spec"]["template"]["metadata"]["labels"]
        assert service["spec"]["selector"].items() <= labels.items()
    (endpoint,) = monitor["spec"]["endpoints"]
    # Else Prometheus puts its own idea of "service" in place of ours.
    assert endpoint["honorLabels"] is True
    path = next(r for r in endpoint["relabelings"] if r["targetLabel"] == "__metrics_path__")
    assert path["replacement"] == "/$1/metrics"
    assert path["sourceLabels"] == ["__meta_kubernetes_pod_label_app_kubernetes_io_name"]
