"""A plan file read strictly: the YAML as plain frozen values, and where each of them stands.

Stricter than YAML itself: a key given twice is an error, keys are text (an unquoted ``no`` or
``2008`` is not), and decimals are exact, so that 0.20 in the file is 0.20 in a computation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

if TYPE_CHECKING:
    _Base = yaml.SafeLoader
else:  # the C reader is ten times faster; both read the same
    _Base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Place: TypeAlias = tuple[str | int, ...]
"""The way to a value inside the file, such as ``("targets", 3, "unit")``."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a plan file: where, and what, in both languages."""

    place: Place
    zh: str
    en: str
    line: int | None = None

    def __str__(self) -> str:
        dotted = ".".join(str(step) for step in self.place) or "-"
        return f"{dotted}: {self.zh} / {self.en}"


class PlanError(ValueError):
    """A plan file that cannot be used. Names the file and, for each problem, its line and place."""

    def __init__(self, path: str, problems: Sequence[Problem]) -> None:
        super().__init__(path, tuple(problems))
        self.path = path
        self.problems = tuple(problems)

    def __str__(self) -> str:
        lines = [
            f"{self.path}:{problem.line} {problem}" if problem.line else f"{self.path} {problem}"
            for problem in self.problems
        ]
        return "\n".join(["计划文件无法使用 / the plan file cannot be used:", *lines])


class _Loader(_Base):
    """YAML without its loose ends."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    loader.flatten_mapping(node)
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} is not text; put it in quotes", key_node.start_mark
            )
        if key in found:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} stands twice", key_node.start_mark
            )
        found[key] = loader.construct_object(value_node, deep=True)
    return found


def _sequence(loader: _Loader, node: yaml.SequenceNode) -> tuple[Any, ...]:
    return tuple(loader.construct_object(child, deep=True) for child in node.value)


def _decimal(loader: _Loader, node: yaml.ScalarNode) -> Decimal:
    text = str(loader.construct_scalar(node)).replace("_", "")
    try:
        return Decimal(text)
    except ArithmeticError:  # .inf, .nan, 1:30.5
        raise yaml.constructor.ConstructorError(
            None, None, f"not a plain decimal: {text!r}", node.start_mark
        ) from None


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:seq", _sequence)
_Loader.add_constructor("tag:yaml.org,2002:float", _decimal)


@dataclass(frozen=True)
class Document:
    """The values of a file and the tree they were read from."""

    path: str
    data: Any
    node: yaml.Node

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the values alone: comments, order of keys and layout do not count."""
        text = json.dumps(
            self.data, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def line_of(self, place: Iterable[str | int]) -> int:
        """The line (from 1) of the value, or of the nearest thing around it that exists."""
        node = self.node
        for step in place:
            child = _child(node, step)
            if child is None:
                break
            node = child
        return int(node.start_mark.line) + 1

    def error(self, problems: Iterable[Problem]) -> PlanError:
        """The problems as one error, each with its line."""
        return PlanError(
            self.path,
            [
                Problem(problem.place, problem.zh, problem.en, self.line_of(problem.place))
                for problem in problems
            ],
        )


def read_document(path: Path) -> Document:
    """Read a YAML file. PlanError when it is missing, not UTF-8, not YAML or not a mapping."""
    name = str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise PlanError(name, [Problem((), "文件无法读取", f"cannot be read: {reason}")]) from error
    except UnicodeDecodeError as error:
        raise PlanError(name, [Problem((), "文件不是 UTF-8", "is not UTF-8")]) from error
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        data = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        problem = Problem((), "YAML 格式错误", str(error.problem), line)
        raise PlanError(name, [problem]) from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a day such as 2008-02-30
        raise PlanError(name, [Problem((), "YAML 格式错误", str(error))]) from error
    finally:
        loader.dispose()
    if node is None or not isinstance(data, dict):
        raise PlanError(name, [Problem((), "文件应为键值映射", "must be a mapping of sections")])
    return Document(name, data, node)


def _child(node: yaml.Node, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return value  # type: ignore[no-any-return]
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step]  # type: ignore[no-any-return]
    return None
