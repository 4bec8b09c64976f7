"""``python -m kuomian.cluster_secrets --data-dir .data/cluster | kubectl apply -f -``

Prints the Secrets and the public keys that the Kubernetes manifests refer to, made new at random:
for the local overlay, and to show their form to who fills a real cluster. Passwords and keys are
kept in the folder, so that a second run prints the same. Tokens of this issuer come from
``kuomian token DEPARTMENT --data-dir …``.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from kuomian import data_dir as folder
from kuomian.services import NAMES
from shared.auth import Issuer

PASSWORD_BYTES = 24
TOKEN_LIFETIME = timedelta(days=3650)
WITHOUT_HASH_KEYS = "reporting"
"""Knows nobody's identity number and so has no key of keyed hashes; it asks the others how far they
are."""


def objects(data_dir: Path, namespace: str, host: str, options: str) -> list[dict[str, Any]]:
    """Namespace, Secrets and ConfigMap as Kubernetes objects; ``host`` is PostgreSQL's name in the
    cluster, ``options`` the query of its URLs."""
    passwords = _passwords(data_dir)
    keys = folder.keys(data_dir)
    issuer = Issuer(data_dir)
    administered = {"POSTGRES_PASSWORD": passwords["postgres"]}
    for name in NAMES:
        administered[f"{_role(name).upper()}_DATABASE_PASSWORD"] = passwords[name]
    made = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        _secret(namespace, "postgres-passwords", administered),
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "identity-provider", "namespace": namespace},
            "data": {"jwks.json": json.dumps(issuer.jwks())},
        },
    ]
    for name in NAMES:
        role = _role(name)
        url = f"postgresql://{role}:{passwords[name]}@{host}:5432/{role}{options}"
        database = {"username": role, "password": passwords[name], "uri": url}
        secret = _secret(namespace, f"database-{name}", database, "kubernetes.io/basic-auth")
        # CloudNativePG changes the role's password when this one's changes.
        secret["metadata"]["labels"] = {"cnpg.io/reload": "true"}
        made.append(secret)
        if name == WITHOUT_HASH_KEYS:
            token = issuer.token(name, "operator", lifetime=TOKEN_LIFETIME)
            own = {name: text for name, text in keys.items() if name != "hash_keys"}
            own["service_token"] = token
            made.append(_secret(namespace, f"keys-{name}", own))
        else:
            made.append(_secret(namespace, f"keys-{name}", keys))
    return made


def _role(service: str) -> str:
    return service.replace("-", "_")


def _secret(
    namespace: str, name: str, values: dict[str, str], kind: str = "Opaque"
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": kind,
        "stringData": values,
    }


def _passwords(data_dir: Path) -> dict[str, str]:
    path = data_dir / "passwords.json"
    if not path.exists():
        made = {name: secrets.token_hex(PASSWORD_BYTES) for name in ("postgres", *NAMES)}
        folder.write_private(path, json.dumps(made, indent=1))
    kept: dict[str, str] = json.loads(path.read_text("utf-8"))
    return kept


def main(arguments: list[str]) -> None:
    """Print them as YAML."""
    parser = argparse.ArgumentParser(prog="kuomian.cluster_secrets", description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--namespace", default="kuomian")
    parser.add_argument("--host", default="kuomian-postgres-rw")
    parser.add_argument("--options", default="", help="such as ?sslmode=require")
    given = parser.parse_args(arguments)
    data_dir = folder.prepare(given.data_dir)
    found = objects(data_dir, given.namespace, given.host, given.options)
    yaml.safe_dump_all(found, sys.stdout, allow_unicode=True, sort_keys=False, width=10_000)


if __name__ == "__main__":
    main(sys.argv[1:])
