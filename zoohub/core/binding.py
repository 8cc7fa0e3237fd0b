"""YAML text into frozen dataclasses, strictly: every complaint names its file, line and key.

PyYAML's own objects have lost their line numbers, so the node tree is read instead. The
dataclass is the schema: its annotations are the types, its defaults make keys optional, and
`number(...)` adds bounds.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import operator
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

import yaml

from zoohub.core.counting import counted
from zoohub.core.text_reader import decoded
from zoohub.core.yaml_nodes import Misfit, child, fail, name_of, override, parse, where
from zoohub.core.yaml_reader import read_bytes
from zoohub.errors import RecipeError

T = TypeVar("T")
N = TypeVar("N")
Bounds = Mapping[str, float | None]

_REQUIRED: Any = dataclasses.MISSING

_BOUNDS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "low": ("at least", operator.ge),
    "above": ("above", operator.gt),
    "high": ("at most", operator.le),
    "below": ("below", operator.lt),
}


def number(
    default: N = _REQUIRED,
    *,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> N:
    """A dataclass field whose number must lie in low..high, both included, or above..below,
    both excluded."""
    bounds = {"low": low, "above": above, "high": high, "below": below}
    return dataclasses.field(default=default, metadata=bounds)


def read(path: str | Path, schema: type[T], assignments: Sequence[str] = ()) -> T:
    """The dataclass `schema` from the YAML file `path`, with `KEY.KEY=VALUE` assignments put in.

    Raises:
        RecipeError: the file cannot be read, or a key is unknown, missing, of a wrong type or
            out of bounds; names the file, line and key.
    """
    path = Path(path)
    data = read_bytes(path, f"{path}: the recipe", RecipeError)
    text = decoded(data, str(path), RecipeError, "YAML", chinese=True)
    return read_text(text, schema, str(path), assignments)


def read_text(
    text: str, schema: type[T], name: str = "recipe", assignments: Sequence[str] = ()
) -> T:
    """`schema` from YAML `text`; `name` stands for the file in errors. Raises as `read`."""
    root = parse(text, name)
    override(root, assignments)
    return bind(root, schema)


def assign_part(part: T, key: str, assignments: Sequence[str]) -> T:
    """The dataclass `part`, which lies at `key`, with those of the assignments put in that are
    about it. Raises as `read`."""
    own = [text for text in assignments if text.startswith(f"{key}.")]
    if not own:
        return part
    root = parse(yaml.safe_dump({key: plain(part)}, allow_unicode=True), "recipe")
    override(root, own)
    node = child(root, key, "recipe")
    assert node is not None
    return typing.cast(T, _bind(node, type(part), key))


def bind(node: yaml.Node, schema: type[T]) -> T:
    """The dataclass `schema` filled from a mapping node.

    Raises:
        RecipeError: an unknown, missing or repeated key, a wrong type or a value out of bounds.
    """
    return typing.cast(T, _bind(node, schema, ""))


def plain(value: object) -> object:
    """The opposite of `bind`: dataclasses and tuples as dicts and lists, ready for YAML."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def _bind(node: yaml.Node, schema: object, key: str, meta: Bounds | None = None) -> object:
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
            told = ", ".join(str(choice) for choice in choices)
            raise fail(node, key, told if len(choices) == 1 else f"one of {told}")
        return value
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(node, yaml.MappingNode):
            raise fail(node, key, "a mapping")
        return {
            name_of(name, key): _bind(value, typing.get_args(schema)[1], f"{key}.{name.value}")
            for name, value in node.value
        }
    if schema is Any:
        try:
            return yaml.constructor.SafeConstructor().construct_document(node)
        except Exception as error:  # YAML's constructors raise anything: 2024-13-45 a ValueError
            reason = getattr(error, "problem", None) or error
            raise RecipeError(f"{where(node, key)}: not a value of YAML: {reason}") from None
    return _bind_scalar(node, schema, key, meta or {})


def _bind_union(
    node: yaml.Node, options: tuple[object, ...], key: str, meta: Bounds | None
) -> object:
    if type(None) in options and node.tag == "tag:yaml.org,2002:null":
        return None
    options = tuple(option for option in options if option is not type(None))
    if len(options) == 1:
        return _bind(node, options[0], key, meta)
    kinds = {_kind(option): option for option in options if dataclasses.is_dataclass(option)}
    if not kinds:
        return _bind_first(node, options, key, meta)
    if not isinstance(node, yaml.MappingNode):
        raise fail(node, key, "a mapping with `kind`")
    chosen = child(node, "kind", key)
    if not isinstance(chosen, yaml.ScalarNode) or chosen.value not in kinds:
        raise fail(chosen or node, f"{key}.kind", "kind: " + " or ".join(kinds))
    return _bind(node, kinds[chosen.value], key)


def _bind_first(
    node: yaml.Node, options: tuple[object, ...], key: str, meta: Bounds | None
) -> object:
    """The value as the first of the options that takes it. Where none does, the complaint is of
    what is wrong within the value, else it names all options."""
    expected: list[str] = []
    within: RecipeError | None = None
    for option in options:
        try:
            return _bind(node, option, key, meta)
        except RecipeError as error:
            if isinstance(error, Misfit) and error.node is node:
                expected.append(error.expected)
            else:
                within = error
    raise within or fail(node, key, " or ".join(expected))


def _kind(schema: object) -> str:
    return str(typing.get_args(typing.get_type_hints(schema)["kind"])[0])


def _bind_dataclass(node: yaml.Node, schema: type, key: str) -> object:
    if not isinstance(node, yaml.MappingNode):
        raise fail(node, key, "a mapping")
    fields = {f.name: f for f in dataclasses.fields(schema)}
    hints = typing.get_type_hints(schema)
    values: dict[str, object] = {}
    for name, value in node.value:
        word = name_of(name, key)
        path = f"{key}.{word}" if key else word
        if word not in fields:
            close = difflib.get_close_matches(word, fields, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(fields)}"
            raise RecipeError(f"{where(name, path)}: unknown key; {hint}")
        if word in values:
            raise RecipeError(f"{where(name, path)}: given twice")
        values[word] = _bind(value, hints[word], path, fields[word].metadata)
    for name, spec in fields.items():
        required = (
            spec.default is dataclasses.MISSING and spec.default_factory is dataclasses.MISSING
        )
        if required and name not in values:
            raise RecipeError(f"{where(node, key)}: {name!r} is missing")
    try:
        return schema(**values)
    except ValueError as error:
        raise RecipeError(f"{where(node, key)}: {error}") from None


def _bind_tuple(
    node: yaml.Node, parts: tuple[object, ...], key: str, meta: Bounds | None
) -> tuple[object, ...]:
    if not isinstance(node, yaml.SequenceNode):
        raise fail(node, key, "a list")
    items = node.value
    if len(parts) == 2 and parts[1] is Ellipsis:
        schemas = (parts[0],) * len(items)
    elif len(parts) == len(items):
        schemas = parts
    else:
        raise RecipeError(
            f"{where(node, key)}: expected {counted(len(parts), 'value')}, found {len(items)}"
        )
    return tuple(
        _bind(item, schema, f"{key}[{i}]", meta)
        for i, (item, schema) in enumerate(zip(items, schemas, strict=True))
    )


def _scalar(node: yaml.Node) -> object:
    """The value of a scalar; None, which no caller expects, for all else."""
    if not isinstance(node, yaml.ScalarNode):
        return None
    try:
        return yaml.constructor.SafeConstructor().construct_document(node)
    except Exception:  # YAML's constructors raise anything: 2024-13-45 a ValueError
        return None


def _bind_scalar(node: yaml.Node, schema: object, key: str, meta: Bounds) -> object:
    value = _scalar(node)
    if schema is float and isinstance(value, str) and not getattr(node, "style", None):
        value = _float(value)  # YAML 1.1 reads 1e-3 as text
    if schema is float and isinstance(value, int) and not isinstance(value, bool):
        value = _float(value)
    if type(value) is not schema:
        names: dict[object, str] = {float: "a number", int: "a whole number", str: "text"}
        names[bool] = "true or false"
        raise fail(node, key, names.get(schema, str(schema)))
    if isinstance(value, float) and not math.isfinite(value):
        raise fail(node, key, "a finite number")
    bounds = {name: meta[name] for name in _BOUNDS if meta.get(name) is not None}
    if not all(_BOUNDS[name][1](value, bound) for name, bound in bounds.items()):
        if bounds.keys() == {"low", "high"}:
            raise fail(node, key, f"a number from {bounds['low']} to {bounds['high']}")
        words = (f"{_BOUNDS[name][0]} {bound}" for name, bound in bounds.items())
        raise fail(node, key, f"a number {' and '.join(words)}")
    return value


def _float(value: str | int) -> object:
    try:
        return float(value)
    except (ValueError, OverflowError):
        return value
