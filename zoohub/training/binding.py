"""YAML text into frozen dataclasses, strictly: every complaint names its file, line and key.

PyYAML's own objects have lost their line numbers, so the node tree is read instead. The
dataclass is the schema: its annotations are the types, its defaults make keys optional, and
`number(...)` adds bounds.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

import yaml

from zoohub.errors import RecipeError

T = TypeVar("T")


def number(
    default: Any = dataclasses.MISSING, *, low: float | None = None, high: float | None = None
) -> Any:
    """A dataclass field whose number must lie in low..high, both included."""
    return dataclasses.field(default=default, metadata={"low": low, "high": high})


def read(path: str | Path, schema: type[T], assignments: Sequence[str] = ()) -> T:
    """The dataclass `schema` from the YAML file `path`, with `KEY.KEY=VALUE` assignments put in.

    Raises:
        RecipeError: the file cannot be read, or a key is unknown, missing, of a wrong type or
            out of bounds; names the file, line and key.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: the recipe cannot be read: {error}") from None
    return read_text(text, schema, str(path), assignments)


def read_text(
    text: str, schema: type[T], name: str = "recipe", assignments: Sequence[str] = ()
) -> T:
    """`schema` from YAML `text`; `name` stands for the file in errors. Raises as `read`."""
    root = parse(text, name)
    override(root, assignments)
    return bind(root, schema)


def parse(text: str, name: str) -> yaml.Node:
    """The node tree of YAML `text`; `name` (a file's) appears in every error.

    Raises:
        RecipeError: the text is empty or not YAML.
    """
    loader = yaml.SafeLoader(text)
    loader.name = name
    try:
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise RecipeError(f"{name}:{line}: not valid YAML: {error.problem}") from None
    finally:
        loader.dispose()
    if node is None:
        raise RecipeError(f"{name}:1: the file is empty")
    return node


def override(root: yaml.Node, assignments: Sequence[str]) -> None:
    """Put `KEY.KEY=VALUE` assignments (of `--set`) into the tree; VALUE is YAML.

    Raises:
        RecipeError: an assignment is malformed or goes through something that is no mapping.
    """
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        origin = f"--set {assignment}"
        if not equals or not path.strip():
            raise RecipeError(f"{origin}: write KEY=VALUE, e.g. optimizer.lr=0.01")
        node = root
        *parents, last = path.strip().split(".")
        for key in parents:
            child = _child(node, key, origin)
            if child is None or child.tag == "tag:yaml.org,2002:null":
                child = parse("{}", origin)
                _put(node, key, child, origin)
            node = child
        _put(node, last, parse(text or "null", origin), origin)


def bind(node: yaml.Node, schema: type[T]) -> T:
    """The dataclass `schema` filled from a mapping node.

    Raises:
        RecipeError: an unknown, missing or repeated key, a wrong type or a value out of bounds.
    """
    return typing.cast(T, _bind(node, schema, ""))


def plain(value: Any) -> Any:
    """The opposite of `bind`: dataclasses and tuples as dicts and lists, ready for YAML."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def _where(node: yaml.Node, key: str) -> str:
    mark = node.start_mark
    place = mark.name if mark.name.startswith("--set") else f"{mark.name}:{mark.line + 1}"
    return f"{place}: {key}" if key else place


def _fail(node: yaml.Node, key: str, expected: str) -> RecipeError:
    if isinstance(node, yaml.ScalarNode):
        found = repr(node.value) if node.value else "nothing"
    else:
        found = "a mapping" if isinstance(node, yaml.MappingNode) else "a list"
    return RecipeError(f"{_where(node, key)}: expected {expected}, found {found}")


def _child(node: yaml.Node, key: str, origin: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        raise RecipeError(f"{origin}: what comes before {key!r} is no mapping")
    return next((value for name, value in node.value if name.value == key), None)


def _put(node: yaml.Node, key: str, value: yaml.Node, origin: str) -> None:
    _child(node, key, origin)
    mark = value.start_mark
    name = yaml.ScalarNode("tag:yaml.org,2002:str", key, mark, mark)
    node.value = [pair for pair in node.value if pair[0].value != key] + [(name, value)]


def _bind(node: yaml.Node, schema: Any, key: str, meta: Mapping[str, Any] | None = None) -> Any:
    origin = typing.get_origin(schema)
    if origin in (Union, types.UnionType):
        return _bind_union(node, typing.get_args(schema), key, meta)
    if dataclasses.is_dataclass(schema):
        return _bind_dataclass(node, typing.cast(type, schema), key)
    if origin is tuple:
        return _bind_tuple(node, typing.get_args(schema), key, meta)
    if origin is Literal:
        value = _scalar(node)
        choices = typing.get_args(schema)
        if value not in choices or isinstance(value, bool) != any(value is c for c in choices):
            raise _fail(node, key, "one of " + ", ".join(str(choice) for choice in choices))
        return value
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(node, yaml.MappingNode):
            raise _fail(node, key, "a mapping")
        return {
            str(name.value): _bind(value, typing.get_args(schema)[1], f"{key}.{name.value}")
            for name, value in node.value
        }
    if schema is Any:
        return yaml.constructor.SafeConstructor().construct_document(node)
    return _bind_scalar(node, schema, key, meta or {})


def _bind_union(
    node: yaml.Node, options: tuple[Any, ...], key: str, meta: Mapping[str, Any] | None
) -> Any:
    if type(None) in options and node.tag == "tag:yaml.org,2002:null":
        return None
    options = tuple(option for option in options if option is not type(None))
    if len(options) == 1:
        return _bind(node, options[0], key, meta)
    kinds = {_kind(option): option for option in options if dataclasses.is_dataclass(option)}
    if not kinds:
        for option in options[:-1]:
            try:
                return _bind(node, option, key, meta)
            except RecipeError:
                continue
        return _bind(node, options[-1], key, meta)
    if not isinstance(node, yaml.MappingNode):
        raise _fail(node, key, "a mapping with `kind`")
    chosen = _child(node, "kind", key)
    if chosen is None or chosen.value not in kinds:
        raise _fail(chosen or node, f"{key}.kind", "kind: " + " or ".join(kinds))
    return _bind(node, kinds[chosen.value], key)


def _kind(schema: Any) -> str:
    return str(typing.get_args(typing.get_type_hints(schema)["kind"])[0])


def _bind_dataclass(node: yaml.Node, schema: type, key: str) -> Any:
    if not isinstance(node, yaml.MappingNode):
        raise _fail(node, key, "a mapping")
    fields = {f.name: f for f in dataclasses.fields(schema)}
    hints = typing.get_type_hints(schema)
    values: dict[str, Any] = {}
    for name, value in node.value:
        path = f"{key}.{name.value}" if key else str(name.value)
        if name.value not in fields:
            close = difflib.get_close_matches(str(name.value), fields, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(fields)}"
            raise RecipeError(f"{_where(name, path)}: unknown key; {hint}")
        if name.value in values:
            raise RecipeError(f"{_where(name, path)}: given twice")
        values[name.value] = _bind(value, hints[name.value], path, fields[name.value].metadata)
    for name, spec in fields.items():
        required = (
            spec.default is dataclasses.MISSING and spec.default_factory is dataclasses.MISSING
        )
        if required and name not in values:
            raise RecipeError(f"{_where(node, key)}: {name!r} is missing")
    try:
        return schema(**values)
    except ValueError as error:
        raise RecipeError(f"{_where(node, key)}: {error}") from None


def _bind_tuple(
    node: yaml.Node, parts: tuple[Any, ...], key: str, meta: Mapping[str, Any] | None
) -> tuple[Any, ...]:
    if not isinstance(node, yaml.SequenceNode):
        raise _fail(node, key, "a list")
    items = node.value
    if len(parts) == 2 and parts[1] is Ellipsis:
        schemas = (parts[0],) * len(items)
    elif len(parts) == len(items):
        schemas = parts
    else:
        raise RecipeError(f"{_where(node, key)}: expected {len(parts)} values, found {len(items)}")
    return tuple(
        _bind(item, schema, f"{key}[{i}]", meta)
        for i, (item, schema) in enumerate(zip(items, schemas, strict=True))
    )


def _scalar(node: yaml.Node) -> Any:
    if not isinstance(node, yaml.ScalarNode):
        return None
    return yaml.constructor.SafeConstructor().construct_document(node)


def _bind_scalar(node: yaml.Node, schema: Any, key: str, meta: Mapping[str, Any]) -> Any:
    value = _scalar(node)
    if schema is float and isinstance(value, str) and not getattr(node, "style", None):
        value = _float(value)  # YAML 1.1 reads 1e-3 as text
    if schema is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not schema:
        names = {float: "a number", int: "a whole number", str: "text", bool: "true or false"}
        raise _fail(node, key, names.get(schema, str(schema)))
    low, high = meta.get("low"), meta.get("high")
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        bounds = f"at least {low}" if high is None else f"from {low} to {high}"
        raise _fail(node, key, f"a number {bounds}")
    return value


def _float(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text
