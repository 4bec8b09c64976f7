"""The AsyncAPI 3.0 document of one producer: its topic and every fact on it."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

from shared.events.base import Fact, topic_of
from shared.events.registry import facts_of

_HEADERS = {
    "type": "object",
    "description": "CloudEvents 1.0, Kafka binding, binary mode",
    "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time"],
    "properties": {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": {"type": "string", "description": "the fact's id: delivery, record no, kind"},
        "ce_type": {"type": "string"},
        "ce_source": {"type": "string", "description": "the producer"},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_position": {
            "type": "string",
            "description": "the producer's gapless number within the partition; what consumers "
            "remember, never the Kafka offset",
        },
        "ce_head": {
            "type": "string",
            "description": "only on a fact that is sent once more: the last position given in the "
            "partition when it was",
        },
        "traceparent": {"type": "string", "description": "W3C Trace Context"},
    },
}


def asyncapi(producer: str, title: str, version: str, description: str = "") -> dict[str, Any]:
    """The document; a producer without facts has an empty topic."""
    facts = facts_of(producer)
    topic = topic_of(producer)
    _, schemas = msgspec.json.schema_components(facts, ref_template="#/components/schemas/{name}")
    return {
        "asyncapi": "3.0.0",
        "info": {"title": title, "version": version, "description": description},
        "defaultContentType": "application/json",
        "channels": {
            "facts": {
                "address": topic,
                "description": "One message is one fact; the key chooses the partition.",
                "messages": {
                    fact.__name__: {"$ref": f"#/components/messages/{fact.__name__}"}
                    for fact in facts
                },
            }
        },
        "operations": {
            "publishFacts": {
                "action": "send",
                "channel": {"$ref": "#/channels/facts"},
                "messages": [
                    {"$ref": f"#/channels/facts/messages/{fact.__name__}"} for fact in facts
                ],
            }
        },
        "components": {
            "messages": {fact.__name__: _message(fact) for fact in facts},
            "schemas": schemas,
        },
    }


def _message(fact: type[Fact]) -> dict[str, Any]:
    return {
        "name": fact.type_name(),
        "title": fact.title_zh,
        "summary": inspect.cleandoc(fact.__doc__ or "").split("\n\n")[0].replace("\n", " "),
        "contentType": "application/json",
        "headers": _HEADERS,
        "payload": {"$ref": f"#/components/schemas/{fact.__name__}"},
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": "0.5.0"}},
    }
