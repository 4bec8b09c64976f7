"""Everything that can be set from outside: the only reader of the environment.

Names in the environment are the field names in capitals, without a prefix. Secrets may also come
from files: with ``SECRETS_DIR`` set (or ``/run/secrets`` present) a file ``database_url`` there
stands in for ``DATABASE_URL``; the environment wins over the file.

``python -m shared.settings`` prints ``docs/settings.md``.
"""

import base64
import binascii
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MEBIBYTE = 1024 * 1024
KEY_BYTES = 32


def default_data_dir() -> Path:
    """Where the embedded PostgreSQL lives unless ``DATA_DIR`` says otherwise.

    As root the server runs under a user of its own, which cannot enter home folders; so root gets
    ``/var/lib/kuomian``, everyone else a folder at home.
    """
    return Path("/var/lib/kuomian") if os.geteuid() == 0 else Path.home() / ".local/share/kuomian"


def parse_keys(text: str) -> dict[int, bytes]:
    """Read versioned 32-byte keys: ``1:base64,2:base64`` or ``{"1": "base64"}``.

    The highest version is the current one; older ones stay to read what they wrote.
    Raises ValueError (never naming key material) for a bad version, bad base64 or a wrong length.
    """
    if text.lstrip().startswith("{"):
        pairs = list(json.loads(text).items())
    else:
        pairs = [tuple(part.split(":", 1)) for part in text.split(",") if part.strip()]
    keys: dict[int, bytes] = {}
    for pair in pairs:
        if len(pair) != 2 or not str(pair[0]).strip().isdigit():
            raise ValueError("keys are written as version:base64, version a whole number")
        version = int(pair[0])
        try:
            key = base64.b64decode(str(pair[1]).strip(), validate=True)
        except binascii.Error:
            raise ValueError(f"key {version} is not base64") from None
        if len(key) != KEY_BYTES:
            raise ValueError(f"key {version} has {len(key)} bytes, {KEY_BYTES} are needed")
        keys[version] = key
    if not keys:
        raise ValueError("no key given")
    return keys


class Settings(BaseSettings):
    """The settings of one process. Frozen; read once by ``load_settings``; passed on by hand."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, validate_default=True
    )

    host: str = Field("127.0.0.1", description="监听地址 · address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="监听端口 · port to listen on")
    public_url: str = Field(
        "http://127.0.0.1:8000",
        description="对外网址,用于生成链接 · address seen from outside; builds links",
    )
    clock: Literal["real", "demo"] = Field(
        "real",
        description="时钟:real 真实时间;demo 由演示程序设定 · real time, or set by the demo driver",
    )
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="内嵌数据库等的数据目录 · folder of the embedded PostgreSQL and demo state",
    )
    plan_file: Path | None = Field(
        None, description="方案文件,缺省用内置方案 · plan file; the built-in plan when unset"
    )

    database_url: SecretStr | None = Field(
        None, description="本服务的数据库连接 · PostgreSQL URL of this service's database"
    )
    database_direct_url: SecretStr | None = Field(
        None,
        description="绕过事务级连接池的直连,用于通知与咨询锁;缺省同 DATABASE_URL · "
        "past any transaction pooler, for LISTEN and advisory locks; DATABASE_URL when unset",
    )
    database_pool_size: int = Field(
        8, ge=1, description="数据库连接池上限 · most database connections per process"
    )
    database_pool_wait_seconds: float = Field(
        10.0,
        gt=0,
        description="等待空闲连接的秒数 · wait for a free connection, then 503",
    )
    database_connect_seconds: int = Field(
        5, ge=1, description="建立连接的超时秒数 · time allowed to open a connection"
    )

    bus: Literal["postgres", "kafka"] = Field(
        "postgres", description="消息总线:内嵌或 Kafka · embedded bus or Kafka"
    )
    bus_database_url: SecretStr | None = Field(
        None, description="内嵌总线的数据库连接 · PostgreSQL URL of the embedded bus"
    )
    bus_retention_hours: int = Field(
        168, ge=0, description="内嵌总线保留时长(小时) · the embedded bus keeps messages this long"
    )
    topic_partitions: int = Field(6, ge=1, description="每个主题的分区数 · partitions per topic")
    kafka_bootstrap_servers: str | None = Field(
        None, description="Kafka 引导地址,逗号分隔 · brokers, comma separated"
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="Kafka 安全协议 · Kafka security protocol"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="Kafka SASL 机制 · SASL mechanism"
    )
    kafka_sasl_username: str | None = Field(None, description="Kafka 用户名 · Kafka user name")
    kafka_sasl_password: SecretStr | None = Field(None, description="Kafka 口令 · Kafka password")
    kafka_ca_file: Path | None = Field(
        None, description="Kafka 证书颁发机构文件 · CA certificate of the brokers"
    )
    kafka_fetch_max_wait_ms: int = Field(
        250, ge=1, description="Kafka 取数最长等待毫秒 · longest wait of an empty fetch"
    )
    kafka_replication_factor: int = Field(
        0, ge=0, description="新主题副本数,0 为 3 与代理数取小 · replicas of new topics; 0: up to 3"
    )

    max_body_bytes: int = Field(
        512 * MEBIBYTE, ge=1, description="报送正文上限(字节) · largest delivery body"
    )
    max_document_bytes: int = Field(
        16 * MEBIBYTE,
        ge=1,
        description="整体 JSON 上限(字节) · largest whole-document JSON body",
    )
    max_record_bytes: int = Field(
        64 * 1024, ge=1, description="单条记录上限(字节) · largest single record"
    )
    chunk_records: int = Field(
        5000, ge=1, description="每个事务处理的记录数 · records judged per transaction"
    )
    max_removal_share: float = Field(
        0.2,
        ge=0,
        le=1,
        description="全量名册未确认时最多可移除的比例 · a full list removes at most this share "
        "of its scope unless the number is confirmed",
    )
    delivery_wait_seconds: float = Field(
        10.0,
        ge=0,
        description="同步等待回执的秒数 · wait for the receipt, then answer 202",
    )
    judge_workers: int = Field(
        1, ge=0, description="审核进程数,0 为进程内 · worker processes for judging; 0 = in process"
    )
    batch_messages: int = Field(
        5000, ge=1, description="每批消费的消息数 · messages consumed per batch"
    )
    dead_letter_limit: int = Field(
        100, ge=0, description="死信超过此数即停止消费并告警 · consumer stops and alarms above this"
    )

    data_keys: SecretStr | None = Field(
        None, description="静态加密密钥,版本:base64 · AES-256 keys at rest, version:base64,…"
    )
    hash_keys: SecretStr | None = Field(
        None, description="标识散列密钥,版本:base64 · HMAC keys for identities, version:base64,…"
    )
    receipt_signing_keys: SecretStr | None = Field(
        None,
        description="回执签名密钥,版本:base64 · Ed25519 keys that sign receipts, version:base64,…; "
        "receipts are unsigned when unset",
    )
    auth_jwks: str | None = Field(
        None, description="JWKS 内容或文件路径 · key set: JSON itself or a file's path"
    )
    auth_issuer: str | None = Field(None, description="令牌签发者 · expected token issuer")
    auth_audience: str | None = Field(None, description="令牌受众 · expected token audience")
    public_overview: bool = Field(
        False, description="概览页免登录 · overview readable without a token"
    )
    service_urls: Annotated[dict[str, str], NoDecode] = Field(
        default_factory=dict,
        description="各服务网址 name=url,… 或 JSON · base URL per service, name=url,… or JSON",
    )
    service_token: SecretStr | None = Field(
        None, description="服务之间调用的令牌 · token for calls between services"
    )

    log_format: Literal["json", "console"] = Field("json", description="日志格式 · log format")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="日志级别 · log level"
    )
    otlp_endpoint: str | None = Field(
        None, description="OpenTelemetry 收集端,缺省不发送 · OTLP collector; none sends nothing"
    )

    @field_validator("data_keys", "hash_keys", "receipt_signing_keys")
    @classmethod
    def _keys_can_be_read(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_keys(value.get_secret_value())
        return value

    @field_validator("hash_keys")
    @classmethod
    def _hash_key_is_for_ever(cls, value: SecretStr | None) -> SecretStr | None:
        # With another key every person and household owner would be a stranger.
        if value is not None and len(parse_keys(value.get_secret_value())) != 1:
            raise ValueError(
                "exactly one version: HASH_KEYS cannot be rotated (docs/operations.md)"
            )
        return value

    @field_validator("service_urls", mode="before")
    @classmethod
    def _service_urls_from_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("{"):
            return json.loads(value)
        pairs = (part.partition("=") for part in value.split(",") if part.strip())
        return {name.strip(): url.strip() for name, _, url in pairs}

    @field_validator("public_url")
    @classmethod
    def _no_slash_at_the_end(cls, value: str) -> str:
        return value.rstrip("/")

    @property
    def data_key_ring(self) -> Mapping[int, bytes]:
        """Keys at rest by version, empty when none is set; the highest version writes."""
        return parse_keys(self.data_keys.get_secret_value()) if self.data_keys else {}

    @property
    def hash_key_ring(self) -> Mapping[int, bytes]:
        """Keys of keyed hashes by version, empty when none is set."""
        return parse_keys(self.hash_keys.get_secret_value()) if self.hash_keys else {}

    @property
    def receipt_key_ring(self) -> Mapping[int, bytes]:
        """Keys that sign receipts by version, empty when none is set; the highest version signs,
        the public halves of all are published."""
        text = self.receipt_signing_keys
        return parse_keys(text.get_secret_value()) if text else {}

    def jwks(self) -> dict[str, Any] | None:
        """The key set as JSON, read from the file each time when ``AUTH_JWKS`` is a path.

        Raises OSError or ValueError when the file cannot be read.
        """
        if self.auth_jwks is None:
            return None
        text = self.auth_jwks
        if not text.lstrip().startswith("{"):
            text = Path(text).read_text(encoding="utf-8")
        document: dict[str, Any] = json.loads(text)
        return document


def load_settings(**overrides: Any) -> Settings:
    """Read the environment (and secret files) once. Raises pydantic.ValidationError."""
    folder = Path(os.environ.get("SECRETS_DIR", "/run/secrets"))
    return Settings(_secrets_dir=folder if folder.is_dir() else None, **overrides)


def inheritable_environment() -> dict[str, str]:
    """The environment without any setting: what a process started here inherits that is to know
    only the settings it is given."""
    settings = {name.upper() for name in Settings.model_fields} | {"SECRETS_DIR"}
    return {name: value for name, value in os.environ.items() if name not in settings}


class SettingRow(NamedTuple):
    """One line of the settings table."""

    env: str
    type: str
    default: str
    description: str


def settings_table() -> Iterator[SettingRow]:
    """Every setting in declaration order, for ``docs/settings.md`` and a test that compares it."""
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else str(field.default)
        if field.default_factory is not None:
            default = "见说明 · see text" if name == "data_dir" else ""
        yield SettingRow(
            name.upper(), _type_name(field.annotation), default, field.description or ""
        )


def _type_name(annotation: Any) -> str:
    arguments = [argument for argument in get_args(annotation) if argument is not type(None)]
    if annotation is not None and type(None) in get_args(annotation):
        return _type_name(arguments[0])
    if "Literal" in str(annotation):
        return ", ".join(str(argument) for argument in arguments)
    names = {SecretStr: "secret", Path: "path", str: "text", bool: "yes/no"}
    return names.get(annotation) or str(getattr(annotation, "__name__", annotation))


def settings_page() -> str:
    """``docs/settings.md``, whole."""
    lines = [
        "# Settings · 设置",
        "",
        "Generated by `python -m shared.settings`; do not edit. "
        "Every value comes from the environment; secrets may be files in `SECRETS_DIR` "
        "(default `/run/secrets`), named like the variable in small letters.",
        "",
        "`DATA_DIR` defaults to `/var/lib/kuomian` for root, `~/.local/share/kuomian` otherwise.",
        "",
        "| variable | type | default | meaning |",
        "|---|---|---|---|",
    ]
    for row in settings_table():
        default = f"`{row.default}`" if row.default else ""
        lines.append(f"| `{row.env}` | {row.type} | {default} | {row.description} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(settings_page())
