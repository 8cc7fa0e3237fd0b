"""From a family's YAML file to compiled models: defaults are filled in, nothing else is decided.

A file `index/<task>/<family>.yaml` holds

    family, task, default (model), description, paper, network, input,
    defaults:    what every checkpoint below has unless it says otherwise
    publishers:  the same for the checkpoints of one publisher
    models:      name -> task (where not the family's), default (checkpoint id), aliases,
                 published, description, paper, parameter_count,
                 flops, network, input, defaults, publishers,
                 checkpoints: id -> the checkpoint's fields and `records`

What is more particular wins: checkpoint over the model's publisher, over the family's publisher,
over the model, over the family. (What a publisher's files are called holds for all its models,
whatever a model says of its own.) `network` and `input` are merged key by key, `arguments` and
`text` within them too.
A record has its checkpoint's dataset, metrics, mindspore, repository, ref, path, publisher and
updated unless it gives its own; null takes an inherited value away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from zoohub.core.json_reader import Json
from zoohub.core.yaml_reader import Document
from zoohub.errors import ManifestError, ZoohubError
from zoohub.manifest.compiled import ModelRow
from zoohub.manifest.entry import NESTED_CONTRACTS
from zoohub.manifest.schema import CHECKPOINT, MODEL, RECORD, check_model
from zoohub.manifest.values import SchemaError, Where, name_problem

# fmt: off
FAMILY_KEYS = frozenset((
    "family", "task", "default", "description", "paper", "network", "input", "defaults",
    "publishers", "models",
))
# fmt: on
MODEL_KEYS = (frozenset(MODEL) - {"model", "family", "family_default"}) | {
    "defaults",
    "publishers",
}
# What a record takes from its checkpoint.
INHERITED = ("dataset", "metrics", "mindspore", "repository", "ref", "path", "publisher", "updated")
# Key by key, where both have some.
_MERGED = frozenset(("network", "input", "arguments", *NESTED_CONTRACTS))
_RECORD_ONLY = frozenset(("repository", "ref", "path", "updated"))
CHECKPOINT_KEYS = (frozenset(CHECKPOINT) - {"id"}) | _RECORD_ONLY
DEFAULT_KEYS = CHECKPOINT_KEYS - {
    "aliases", "sources", "sha256", "sha256_prefix", "doubtful_sha256", "size", "records"
}  # fmt: skip

Value = dict[str, Json]


def compile_family(document: Document) -> list[ModelRow]:
    """The family's compiled models, checked, sorted by name.

    Raises:
        ManifestError: something is not allowed; names file and line.
    """
    return sorted(_Family(document).models(), key=lambda model: model["model"])


def compile_each(document: Document) -> tuple[list[ModelRow], list[ManifestError]]:
    """As `compile_family`, but a model with something wrong costs only itself.

    Returns the sound models, sorted by name, and the first error of each of the others (or the
    one error of the file, when that is of no single model).
    """
    models: list[ModelRow] = []
    try:
        family = _Family(document)
        names = family.names()
    except ManifestError as error:
        return [], [error]
    errors: list[ManifestError] = []
    for name in names:
        try:
            models.append(family.model(name))
        except ManifestError as error:
            errors.append(error)
    return sorted(models, key=lambda model: model["model"]), errors


def merge(*levels: Mapping[str, Json] | None) -> Value:
    """Later levels win key by key; `network`, `input` and `arguments` are merged in turn."""
    result: Value = {}
    for level in levels:
        for key, value in (level or {}).items():
            if key in _MERGED and isinstance(value, dict):
                base = result.get(key)
                result[key] = merge(base if isinstance(base, dict) else None, value)
            else:
                result[key] = value
    return result


class _Family:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.value: Value = self._mapping(document.value, (), FAMILY_KEYS)
        for key in ("family", "task", "models"):
            if self.value.get(key) is None:
                raise document.error((), f"the key {key!r} is missing")
        self.publishers = self._publishers(self.value, ())
        self.defaults = self._mapping(self.value.get("defaults"), ("defaults",), DEFAULT_KEYS)

    def _mapping(self, value: object, where: Where, known: Iterable[str] | None) -> Value:
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self.document.error(where, f"must be a mapping, found {value!r:.60}")
        for key in value:
            if known is not None and key not in known:
                listed = ", ".join(sorted(known))
                raise self.document.error((*where, key), f"unknown key {key!r}; known: {listed}")
        return value

    def _publishers(self, value: Value, where: Where) -> dict[str, Value]:
        here = (*where, "publishers")
        publishers = self._mapping(value.get("publishers"), here, None)
        return {
            name: self._mapping(item, (*here, name), DEFAULT_KEYS)
            for name, item in publishers.items()
        }

    def names(self) -> list[str]:
        models = self._models()
        default = self.value.get("default")
        if default is not None and default not in models:
            raise self.document.error(("default",), f"the default model {default!r} is not below")
        return list(models)

    def _models(self) -> Value:
        return self._mapping(self.value["models"], ("models",), None)

    def models(self) -> Iterator[ModelRow]:
        return map(self.model, self.names())

    def model(self, name: str) -> ModelRow:
        where: Where = ("models", name)
        value = self._mapping(self._models()[name], where, MODEL_KEYS)
        family = self.value
        task = value.get("task") or family["task"]
        result: Value = {"model": name, "family": family["family"], "task": task}
        if name == family.get("default"):
            result["family_default"] = True
        shared = merge(
            {key: family.get(key) for key in ("description", "paper", "network", "input")}, value
        )
        # A family may give what most of its networks share without naming the builder there.
        network = shared.get("network")
        if not (isinstance(network, dict) and network.get("builder")):
            shared.pop("network", None)
            if value.get("network") is not None:
                raise self.document.error((*where, "network"), f"no builder in {network!r:.60}")
        for key in MODEL:
            if key not in result and key != "checkpoints" and shared.get(key) is not None:
                value_here = shared[key]
                if key in ("network", "input") and isinstance(value_here, dict):
                    value_here = _without_null(value_here)
                result[key] = value_here
        publishers = self._publishers(value, where)
        defaults = self._mapping(value.get("defaults"), (*where, "defaults"), DEFAULT_KEYS)
        inherited: Value = {key: result[key] for key in ("network", "input") if key in result}
        levels: list[Json] = []
        here = (*where, "checkpoints")
        for id, item in self._mapping(value.get("checkpoints"), here, None).items():
            item = self._mapping(item, (*here, id), CHECKPOINT_KEYS)
            publisher = merge(self.defaults, defaults, item).get("publisher")
            by_family = self.publishers.get(str(publisher), {})
            by_model = publishers.get(str(publisher), {})
            merged = merge(self.defaults, inherited, by_family, defaults, by_model, item)
            if "network" not in item and "network" in by_family and "network" not in inherited:
                merged.pop("network")  # a publisher's layout alone makes no network
            levels.append(self._checkpoint(id, merged, result, (*here, id)))
        if levels:
            result["checkpoints"] = levels
        try:
            return check_model(result)
        except SchemaError as error:
            raise self._located(name, result, error) from None

    def _checkpoint(self, id: str, merged: Value, model: Value, where: Where) -> Value:
        records = merged.pop("records", None) or []
        if not isinstance(records, list):
            raise self.document.error((*where, "records"), "must be a list")
        expanded = []
        for number, record in enumerate(records):
            here = (*where, "records", number)
            own = self._mapping(record, here, RECORD)
            base = {key: merged[key] for key in INHERITED if merged.get(key) is not None}
            expanded.append(_without_null(merge(base, own)))
        result: Value = {"id": id}
        first = expanded[0] if expanded else {}
        for key in ("dataset", "metrics", "mindspore"):
            if key not in merged and key in first:
                merged[key] = first[key]
        urls: list[Json] = [record["url"] for record in expanded if "url" in record]
        given = merged.pop("sources", None) or []
        if isinstance(given, list) and all(isinstance(url, str) for url in (*given, *urls)):
            given = [*dict.fromkeys([*given, *urls])]
        merged["sources"] = given
        for key in CHECKPOINT:
            if key in ("id", "network", "input", "records"):
                continue
            if merged.get(key) is not None and not (key == "task" and merged[key] == model["task"]):
                result[key] = merged[key]
        for key in ("network", "input"):
            value = merged.get(key)
            value = _without_null(value) if isinstance(value, dict) else value
            if value != model.get(key):
                result[key] = value
        if expanded:
            result["records"] = [*expanded]
        return result

    def _located(self, name: str, model: Value, error: SchemaError) -> ZoohubError:
        """The error at the line where a person would mend it."""
        where = error.where
        path: Where = ("models", name, *where)
        label, rest = name, where
        if len(where) >= 2 and where[0] == "checkpoints" and isinstance(where[1], int):
            checkpoint = cast("list[Value]", model["checkpoints"])[where[1]]
            id, publisher = str(checkpoint["id"]), checkpoint.get("publisher")
            rest = where[2:]
            label = f"{name}@{id}"
            path = ("models", name, "checkpoints", id, *rest)
            levels: list[Where] = [
                ("models", name, "publishers", str(publisher)),
                ("models", name, "defaults"),
                ("models", name),
                ("publishers", str(publisher)),
                ("defaults",),
                (),
            ]
            if rest and path[:5] not in self.document.lines:
                path = next(
                    (
                        (*level, *rest)
                        for level in levels
                        if (*level, rest[0]) in self.document.lines
                    ),
                    path,
                )
        elif where and path[:3] not in self.document.lines and where in self.document.lines:
            path = where
        key = ".".join(str(part) for part in rest)
        return self.document.error(path, ": ".join(filter(None, (label, key, error.message))))


def _without_null(value: Value) -> Value:
    return {key: item for key, item in value.items() if item is not None}


def family_of(document: Document) -> str:
    """The family that a file of models is of; the file has been compiled."""
    return str(document.mapping()["family"])


def family_file_problem(task: str, family: str, document: Document) -> str | None:
    """Why a compiled family file is in the wrong place: its name and folder repeat what it says."""
    value = document.mapping()
    if value.get("family") != family or value.get("task") != task:
        return (
            f"lies in {task}/{family}.yaml but says family {value.get('family')!r}, "
            f"task {value.get('task')!r}"
        )
    return name_problem(family) or name_problem(task)
