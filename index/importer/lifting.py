"""What most checkpoints share goes up to the family, a publisher within it, or the model."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from zoohub.manifest.family import merge

Value = dict[str, Any]

# Lifted to the family (or to a publisher within it) where most of its checkpoints agree.
_LIFTED = (
    "format",
    "licence",
    "hardware",
    "fine_tunable",
    "dataset",
    "classes",
    "repository",
    "path",
)


def lift(document: Value, models: dict[str, Value], details: Value) -> None:
    """Move what most checkpoints (of a publisher) share up, and leave the differences below."""
    checkpoints = [c for m in models.values() for c in (m.get("checkpoints") or {}).values()]
    checkpoints = [c for c in checkpoints if "records" in c]
    by_publisher: dict[str, list[Value]] = defaultdict(list)
    for checkpoint in checkpoints:
        by_publisher[str(checkpoint.get("publisher"))].append(checkpoint)
    lifted: dict[str, Value] = {}
    for publisher, members in sorted(by_publisher.items()):
        shared: Value = {}
        for key in _LIFTED:
            counts = Counter(_hashable(c.get(key)) for c in members)
            value, count = max(counts.items(), key=lambda item: (item[1], str(item[0])))
            if value is not None and 2 * count > len(members):
                shared[key] = value
        lifted[publisher] = shared
        for checkpoint in members:
            _against_defaults(checkpoint, shared)
    extra = details.pop("publishers", {})
    defaults = details.pop("defaults", {})
    schemes = {(model.get("network") or {}).get("parameters") for model in models.values()}
    if schemes & {"mindcv", "mindyolo"}:
        for publisher in lifted:
            if publisher not in ("mindcv", "mindyolo") and publisher not in extra:
                # Whether its parameters and numerics are the labs' has not been looked into.
                lifted[publisher] = {**lifted[publisher], "network": None, "input": None}
    for publisher in sorted(extra):
        lifted[publisher] = merge(lifted.get(publisher), extra[publisher])
    if by_publisher:
        usual = max(by_publisher, key=lambda p: (len(by_publisher[p]), p))
        defaults = merge({"publisher": usual}, defaults)
        for checkpoint in checkpoints:
            if checkpoint["publisher"] == usual:
                del checkpoint["publisher"]
    if len(lifted) == 1:
        defaults = merge(defaults, *lifted.values())
        lifted = {}
    elif lifted:
        first = next(iter(lifted.values()))
        common = {
            key: value
            for key, value in first.items()
            if key in _LIFTED and all(shared.get(key) == value for shared in lifted.values())
        }
        defaults = merge(defaults, common)
        for publisher, shared in lifted.items():
            lifted[publisher] = {k: v for k, v in shared.items() if k not in common}
    if defaults:
        document["defaults"] = defaults
    if any(lifted.values()):
        document["publishers"] = {name: shared for name, shared in lifted.items() if shared}
    for model in models.values():
        _lift_in_model(model)
    _lift_shared(document, models, "network")
    _lift_shared(document, models, "input")


def _lift_in_model(model: Value) -> None:
    """Publisher and path once for a model whose checkpoints all say the same."""
    checkpoints = list((model.get("checkpoints") or {}).values())
    if len(checkpoints) < 2:
        return
    defaults = {}
    for key in ("publisher", "dataset", "repository", "path"):
        values = {_hashable(c[key]) if key in c else "-" for c in checkpoints}
        if len(values) == 1 and "-" not in values:
            defaults[key] = checkpoints[0][key]
            for checkpoint in checkpoints:
                del checkpoint[key]
    if defaults:
        items = list(model.items())
        model.clear()
        for key, value in items:
            if key == "checkpoints":
                model["defaults"] = merge(model.get("defaults"), defaults)
            model[key] = value


def _lift_shared(document: Value, models: dict[str, Value], key: str) -> None:
    """What most models say alike of their network or input goes to the family."""
    said = [model[key] for model in models.values() if model.get(key)]
    if key in document or len(said) < 2 or 2 * len(said) <= len(models):
        return
    shared: Value = {}
    for name in dict.fromkeys(name for value in said for name in value):
        if name == "arguments":
            continue
        counts = Counter(repr(value.get(name)) for value in said)
        text, count = counts.most_common(1)[0]
        if 2 * count > len(said) and text != "None":
            shared[name] = next(v[name] for v in said if repr(v.get(name)) == text)
    if key == "network" and "builder" not in shared:
        return
    for model in models.values():
        if not model.get(key):
            model[key] = None
            continue
        own = {k: v for k, v in model[key].items() if v != shared.get(k)}
        own.update({k: None for k in shared if k not in model[key]})
        if own:
            model[key] = own
        else:
            del model[key]
    document[key] = shared
    for name in ("defaults", "publishers", "models"):
        if name in document:
            document[name] = document.pop(name)


def _hashable(value: object) -> Any:
    return value if value is None or isinstance(value, (str, bool, int, float)) else repr(value)


def _against_defaults(checkpoint: Value, shared: Value) -> None:
    """Leave out what the defaults say already, in the checkpoint and in its records."""
    effective = {key: checkpoint.get(key) for key in (*_LIFTED, "publisher", "metrics")}
    for record in checkpoint["records"]:
        for key in ("dataset", "repository", "path", "publisher", "metrics"):
            if (record.get(key) or None) == (effective.get(key) or None):
                record.pop(key, None)
        for key in ("mindspore", "ref", "updated"):
            if record.get(key) is None:
                record.pop(key, None)
    for key in _LIFTED:
        if checkpoint.get(key) == shared.get(key):
            checkpoint.pop(key, None)
    for key in [k for k, v in checkpoint.items() if v is None and k not in shared]:
        if key not in ("network", "input", "classes"):
            checkpoint.pop(key)
    if not checkpoint.get("metrics"):
        checkpoint.pop("metrics", None)
