"""What ``docker-compose.yml`` says, read as Compose reads it: as much as one needs to run its
services as processes. Pure: text and variables in, values out.

Source: the Compose specification (compose-spec), sections interpolation, services, depends_on.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

import yaml

from kuomian.words import Failure

Condition = Literal["service_started", "service_healthy", "service_completed_successfully"]
CONDITIONS: Final = get_args(Condition)


class ComposeError(Failure):
    """The file does not say what it should; the text names the place."""


@dataclass(frozen=True)
class ComposeService:
    """One entry below ``services``, its variables put in."""

    name: str
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)  # holds secrets
    depends_on: Mapping[str, Condition] = field(default_factory=dict)
    healthcheck: tuple[str, ...] = ()
    """The command that answers 0 for healthy; empty without a check."""
    volumes: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    scale: int = 1


@dataclass(frozen=True)
class Compose:
    """The whole file. ``services`` stand in the order in which they may be started."""

    services: Mapping[str, ComposeService]

    def scaled(self, scale: Mapping[str, int]) -> Compose:
        """As with ``--scale NAME=NUMBER``. Raises ComposeError for an unknown name."""
        if unknown := set(scale) - set(self.services):
            raise ComposeError(f"no such service to scale: {', '.join(sorted(unknown))}")
        return Compose(
            {
                name: ComposeService(**{**vars(service), "scale": scale.get(name, service.scale)})
                for name, service in self.services.items()
            }
        )


def read_compose(text: str, variables: Mapping[str, str]) -> Compose:
    """Read the file with these variables. Raises ComposeError: a required variable that is not
    set, a service nobody knows waited for, services that wait for each other."""
    document = yaml.safe_load(text)  # anchors and merge keys are resolved here
    if not isinstance(document, dict) or not isinstance(document.get("services"), dict):
        raise ComposeError("no services in the file")
    services = {
        name: _service(name, _filled(part, variables, name))
        for name, part in document["services"].items()
    }
    return Compose({name: services[name] for name in _ordered(services)})


def read_variables(text: str) -> dict[str, str]:
    """An ``.env`` file: ``NAME=value`` lines, comments and empty lines left out."""
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


# -- variables ------------------------------------------------------------------------------

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RULE: Final = re.compile(r":?[-?+]")


def substituted(text: str, variables: Mapping[str, str]) -> str:
    """``$NAME``, ``${NAME}`` and its forms put in; ``$$`` is a dollar sign.

    ``:-`` default when unset or empty, ``-`` when unset; ``:?`` and ``?`` likewise an error with
    its words; ``:+`` and ``+`` another text when set. Defaults may hold variables themselves; a
    variable that is not set is empty. Raises ComposeError.
    """
    parts, at = [], 0
    while (dollar := text.find("$", at)) >= 0:
        parts.append(text[at:dollar])
        after = text[dollar + 1 : dollar + 2]
        if after == "$":
            parts.append("$")
            at = dollar + 2
        elif after == "{":
            end = _closing(text, dollar + 2)
            parts.append(_value(text[dollar + 2 : end], variables))
            at = end + 1
        elif found := _NAME.match(text, dollar + 1):
            parts.append(variables.get(found[0], ""))
            at = found.end()
        else:
            raise ComposeError(f"a single dollar sign in {text!r}: write $$")
    return "".join([*parts, text[at:]])


def _closing(text: str, begin: int) -> int:
    """Where the brace ends that was opened before ``begin``."""
    depth = 1
    for at in range(begin, len(text)):
        if text[at] == "}":
            depth -= 1
            if depth == 0:
                return at
        elif text.startswith("${", at):
            depth += 1
    raise ComposeError(f"no closing brace in {text!r}")


def _value(inside: str, variables: Mapping[str, str]) -> str:
    name = _NAME.match(inside)
    rest = inside[name.end() :] if name else ""
    rule = _RULE.match(rest)
    if name is None or (rest and rule is None):
        raise ComposeError(f"not a variable: ${{{inside}}}")
    value = variables.get(name[0])
    if rule is None:
        return value or ""
    missing = not value if rule[0].startswith(":") else value is None
    otherwise = rest[rule.end() :]
    if rule[0].endswith("+"):
        return "" if missing else substituted(otherwise, variables)
    if not missing:
        return value or ""
    if rule[0].endswith("?"):
        words = substituted(otherwise, variables)
        raise ComposeError(f"required variable {name[0]} is not set: {words}")
    return substituted(otherwise, variables)


def _filled(part: Any, variables: Mapping[str, str], where: str) -> Any:
    """A value of the document with variables put into its texts, not into its keys."""
    if isinstance(part, str):
        try:
            return substituted(part, variables)
        except ComposeError as error:
            raise ComposeError(f"{where}: {error}") from None
    if isinstance(part, dict):
        return {key: _filled(one, variables, f"{where}.{key}") for key, one in part.items()}
    if isinstance(part, list):
        return [_filled(one, variables, where) for one in part]
    return part


# -- services -------------------------------------------------------------------------------


def _service(name: str, part: Mapping[str, Any]) -> ComposeService:
    return ComposeService(
        name=name,
        entrypoint=_words(part.get("entrypoint")),
        command=_words(part.get("command")),
        environment=_environment(name, part.get("environment") or {}),
        depends_on=_needs(name, part.get("depends_on") or {}),
        healthcheck=_check(part.get("healthcheck") or {}),
        volumes=tuple(part.get("volumes") or ()),
        ports=tuple(map(str, part.get("ports") or ())),
        scale=int(part.get("scale") or (part.get("deploy") or {}).get("replicas") or 1),
    )


def _words(command: str | Sequence[Any] | None) -> tuple[str, ...]:
    if command is None:
        return ()
    return tuple(shlex.split(command) if isinstance(command, str) else map(str, command))


def _environment(name: str, given: Mapping[str, Any] | Sequence[str]) -> dict[str, str]:
    pairs = given.items() if isinstance(given, Mapping) else (_pair(name, one) for one in given)
    found = {}
    for key, value in pairs:
        if value is None or isinstance(value, bool):
            raise ComposeError(f"{name}: {key} is not a text (quote it)")
        found[key] = str(value)
    return found


def _pair(name: str, line: str) -> tuple[str, str]:
    key, equals, value = line.partition("=")
    if not equals:
        raise ComposeError(f"{name}: {key} has no value")
    return key, value


def _needs(name: str, given: Mapping[str, Any] | Sequence[str]) -> dict[str, Condition]:
    if not isinstance(given, Mapping):
        return dict.fromkeys(given, "service_started")
    needs = {other: (need or {}).get("condition", CONDITIONS[0]) for other, need in given.items()}
    for other, condition in needs.items():
        if condition not in CONDITIONS:
            raise ComposeError(f"{name} waits for {other} to be {condition}")
    return needs


def _check(given: Mapping[str, Any]) -> tuple[str, ...]:
    test = given.get("test")
    if test is None or given.get("disable"):
        return ()
    if isinstance(test, str):
        return ("/bin/sh", "-c", test)
    kind, *words = map(str, test)
    if kind == "CMD-SHELL":
        return ("/bin/sh", "-c", *words)
    return tuple(words) if kind == "CMD" else ()


def _ordered(services: Mapping[str, ComposeService]) -> Iterator[str]:
    """Names so that each comes after those it waits for, else as the file has them."""
    done: set[str] = set()
    left = list(services)
    for service in services.values():
        for other, condition in service.depends_on.items():
            if other not in services:
                raise ComposeError(f"{service.name} waits for {other}, which is not in the file")
            if condition == "service_healthy" and not services[other].healthcheck:
                raise ComposeError(f"{service.name} waits for {other}, which has no healthcheck")
    while left:
        name = next((one for one in left if done >= set(services[one].depends_on)), None)
        if name is None:
            raise ComposeError(f"these wait for each other: {', '.join(left)}")
        left.remove(name)
        done.add(name)
        yield name
