"""What a compiled model may look like: the one gate every index passes, ours or a stranger's.

A compiled model is plain JSON: the fields of `Entry` with `checkpoints` as a list of the fields of
`Checkpoint`, each with `records`. Absent means None or empty. A checkpoint without the key
`network` or `input` has its model's; with null it has none. `declared` is not stored, it follows
from the hashes (see `declared`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from zoohub.manifest.declared import declared_strength

SCHEMA = 1

# fmt: off
FORMATS = frozenset((
    "ckpt", "safetensors", "pth", "mindir", "air", "geir", "om", "mslite", "onnx", "npz",
    "zip", "tar", "tar.gz",
))
# fmt: on
SCHEMES = ("https://", "http://", "file://", "hf://", "embedded:")
MAX_NAME = 200
MAX_URL = 2_000
MAX_TEXT = 20_000
MAX_ITEMS = 20_000
MAX_CLASSES = 100_000

Where = tuple[str | int, ...]


class SchemaError(Exception):
    """A value that is not allowed; `where` is its path in the compiled model."""

    def __init__(self, where: Where, message: str) -> None:
        super().__init__(message)
        self.where = where
        self.message = message


_NAME_BAD = frozenset("/\\@#:*?\"<>|'`$%\0 \t\r\n")
_HEX = "0123456789abcdef"
_CONTROL = frozenset(chr(c) for c in range(32)) | {"\x7f"}


def name_problem(value: Any) -> str | None:
    """Why `value` cannot be the name of a model or the id of a checkpoint; None if it can.

    Names become file names and parts of references, so separators, `..` and shell characters
    are refused.
    """
    if type(value) is not str or not value:
        return f"a name must be text, found {value!r:.60}"
    return _text_problem(value)


@lru_cache(maxsize=4096)  # publishers, formats, ids: few texts, a million times
def _text_problem(value: str) -> str | None:
    if len(value) > MAX_NAME:
        return f"a name of {len(value)} characters; at most {MAX_NAME}"
    if not _NAME_BAD.isdisjoint(value) or not value.isprintable():
        return f"{value!r:.60} holds a character that no name may have"
    if value[0] in ".~-" or value[-1] == "." or ".." in value:
        return f"{value!r:.60} may not begin with `.`, `~` or `-`, end in `.` or hold `..`"
    return None


def _text(value: Any, where: Where) -> None:
    if type(value) is not str:
        hint = "; put it in quotes" if isinstance(value, (int, float)) else ""
        raise SchemaError(where, f"must be text, found {value!r:.60}{hint}")
    if len(value) > MAX_TEXT:
        raise SchemaError(where, f"a text of {len(value)} characters; at most {MAX_TEXT}")
    # The first test is quick and nearly always enough.
    if not value.isprintable() and any(c in _CONTROL or "\ud800" <= c <= "\udfff" for c in value):
        raise SchemaError(where, "holds a control character or half a character")


def _reference(value: Any, where: Where) -> None:
    _text(value, where)
    if not value or len(value) > MAX_URL or value != value.strip():
        raise SchemaError(where, f"not usable as a name: {value!r:.60}")


def _url(value: Any, where: Where) -> None:
    if type(value) is not str or not value.isascii() or not value.isprintable():
        _text(value, where)
        raise SchemaError(where, f"a URL is ASCII; write {value!r:.80} in percent signs")
    if len(value) > MAX_URL:
        raise SchemaError(where, f"a URL of {len(value)} characters; at most {MAX_URL}")
    if not value.startswith(SCHEMES):
        raise SchemaError(where, f"{value!r:.80} begins with none of {', '.join(SCHEMES)}")
    if "/../" in value or value.endswith("/..") or "\\" in value or " " in value:
        raise SchemaError(where, f"{value!r:.80} holds `..`, a backslash or a blank")


def _sha256(value: Any, where: Where) -> None:
    if type(value) is not str or len(value) != 64 or value.strip(_HEX):
        raise SchemaError(where, f"must be 64 lower-case hex digits, found {value!r:.80}")


def _prefix(value: Any, where: Where) -> None:
    if type(value) is not str or not 4 <= len(value) < 64 or value.strip(_HEX):
        raise SchemaError(where, f"must be 4 to 63 lower-case hex digits, found {value!r:.80}")


def _whole(value: Any, where: Where) -> None:
    if type(value) is not int or not 0 <= value < 2**62:
        raise SchemaError(where, f"must be a whole number from 0, found {value!r:.60}")


def _number(value: Any, where: Where) -> None:
    # The comparison is false for NaN too.
    if type(value) not in (int, float) or not -1e300 < value < 1e300:
        raise SchemaError(where, f"must be a finite number, found {value!r:.60}")


def _boolean(value: Any, where: Where) -> None:
    if type(value) is not bool:
        raise SchemaError(where, f"must be true or false, found {value!r:.60}")


def _metrics(value: Any, where: Where) -> None:
    if type(value) is not dict:
        raise SchemaError(where, f"must map names to numbers, found {value!r:.60}")
    for name, number in value.items():
        if type(number) is float and -1e300 < number < 1e300 and name.isprintable():
            continue
        _text(name, where)
        _number(number, (*where, name))


def _name(value: Any, where: Where) -> None:
    problem = name_problem(value)
    if problem:
        raise SchemaError(where, problem)


def _label(value: Any, where: Where) -> None:
    """A short lower-case word such as a task or a format."""
    _name(value, where)
    if value != value.lower():
        raise SchemaError(where, f"must be lower case, found {value!r:.60}")


def _choice(*choices: Any) -> Callable[[Any, Where], None]:
    known = frozenset(choices)

    def check(value: Any, where: Where) -> None:
        if type(value) is not str or value not in known:
            listed = ", ".join(map(str, choices))
            raise SchemaError(where, f"must be one of {listed}, found {value!r:.60}")

    return check


def _list_of(check: Callable[[Any, Where], None]) -> Callable[[Any, Where], None]:
    def check_list(value: Any, where: Where) -> None:
        if type(value) is not list or len(value) > MAX_ITEMS:
            raise SchemaError(where, f"must be a list of at most {MAX_ITEMS} items")
        try:
            for item in value:
                check(item, ())
        except SchemaError as error:
            # Sound values, nearly all there are, cost no place of their own.
            number = next(n for n, other in enumerate(value) if other is item)
            raise SchemaError((*where, number, *error.where), error.message) from None

    return check_list


def _size(value: Any, where: Where) -> None:
    if (
        type(value) is not list
        or len(value) != 2
        or not all(type(v) is int and 0 < v <= 65_536 for v in value)
    ):
        raise SchemaError(where, f"must be [height, width] in pixels, found {value!r:.60}")


def _crop(value: Any, where: Where) -> None:
    _number(value, where)
    # Above 1 happens: mindcv states 1.15 for VOLO-D4 and D5.
    if not 0 < value <= 2:
        raise SchemaError(where, f"must be above 0 and at most 2, found {value!r:.60}")


def _published(value: Any, where: Where) -> None:
    """Published names of several files -> the checkpoint that each means by itself."""
    if type(value) is not dict:
        raise SchemaError(where, f"must map published names to ids, found {value!r:.60}")
    for uid, id in value.items():
        _reference(uid, where)
        _name(id, (*where, uid))


def _class_names(value: Any, where: Where) -> None:
    """Names of a network's outputs in their order; they are shown in terminals and pages."""
    if type(value) is not list or not 0 < len(value) <= MAX_CLASSES:
        raise SchemaError(where, f"must be a list of 1 to {MAX_CLASSES} names")
    for number, name in enumerate(value):
        if type(name) is not str or not 0 < len(name) <= MAX_NAME or not name.isprintable():
            raise SchemaError(
                (*where, number),
                f"must be 1 to {MAX_NAME} printable characters, found {name!r:.60}",
            )


def _arguments(value: Any, where: Where) -> None:
    if type(value) is not dict or len(value) > 200:
        raise SchemaError(where, f"must map argument names to values, found {value!r:.60}")
    for name, argument in value.items():
        if not name.isidentifier():
            raise SchemaError((*where, name), f"{name!r:.60} is no argument's name")
        _plain(argument, (*where, name), 0)


def _plain(value: Any, where: Where, depth: int) -> None:
    """Any nesting of lists and mappings of scalars, within reason."""
    if depth > 6:
        raise SchemaError(where, "nested too deeply")
    if type(value) is list and len(value) <= 1_000:
        for number, item in enumerate(value):
            _plain(item, (*where, number), depth + 1)
    elif type(value) is dict and len(value) <= 1_000:
        for key, item in value.items():
            _text(key, where)
            _plain(item, (*where, key), depth + 1)
    elif type(value) is str:
        _text(value, where)
    elif type(value) in (int, float):
        _number(value, where)
    elif value is not None and type(value) is not bool:
        raise SchemaError(where, f"not an allowed value: {value!r:.60}")


NULLABLE = frozenset(("network", "input"))
Fields = Mapping[str, Callable[[Any, Where], None]]


def _object(fields: Fields, required: tuple[str, ...] = ()) -> Callable[[Any, Where], None]:
    def check(value: Any, where: Where) -> None:
        if type(value) is not dict:
            raise SchemaError(where, f"must be a mapping, found {value!r:.60}")
        for key, item in value.items():
            checker = fields.get(key)
            # Most values are short plain text: a million of them are checked here, not by a call.
            if checker is _text and type(item) is str and len(item) < 500 and item.isprintable():
                continue
            if checker is None:
                known = ", ".join(fields)
                raise SchemaError((*where, key), f"unknown key {key!r:.60}; known are {known}")
            if item is not None:
                try:
                    checker(item, ())
                except SchemaError as error:
                    raise SchemaError((*where, key, *error.where), error.message) from None
            elif key not in NULLABLE:
                raise SchemaError((*where, key), "is null; leave the key out instead")
        for key in required:
            if value.get(key) is None:
                raise SchemaError(where, f"{key!r} is missing")

    return check


NETWORK: Fields = {
    "builder": _label,
    "arguments": _arguments,
    "parameters": _label,
    "head": _text,
    "stem": _text,
}
INPUT: Fields = {
    "size": _size,
    "channels": _whole,
    "layout": _choice("NCHW", "NHWC"),
    "value_range": _choice("0..1", "0..255"),
    "mean": _list_of(_number),
    "std": _list_of(_number),
    "interpolation": _choice("nearest", "bilinear", "bicubic", "area"),
    "crop": _crop,
    "resize": _choice("crop", "letterbox", "stretch"),
    "colour": _choice("RGB", "BGR", "L"),
    "provenance": _text,
}
RECORD: Fields = {
    "uid": _reference,
    "url": _url,
    "dataset": _text,
    "metrics": _metrics,
    "mindspore": _text,
    "repository": _text,
    "ref": _text,
    "path": _text,
    "publisher": _label,
    "updated": _text,
}
CHECKPOINT: Fields = {
    "id": _name,
    "aliases": _list_of(_name),
    "format": _choice(*sorted(FORMATS)),
    "publisher": _label,
    "sources": _list_of(_url),
    "sha256": _sha256,
    "sha256_prefix": _prefix,
    "doubtful_sha256": _text,
    "doubtful": _boolean,
    "size": _whole,
    "network": _object(NETWORK, ("builder",)),
    "input": _object(INPUT),
    "classes": _label,
    "class_names": _class_names,
    "task": _label,
    "dataset": _text,
    "metrics": _metrics,
    "licence": _text,
    "dataset_terms": _text,
    "mindspore": _text,
    "hardware": _text,
    "verified": _list_of(_text),
    "fine_tunable": _boolean,
    "note": _text,
    "records": _list_of(_object(RECORD, ("uid", "url"))),
}
MODEL: Fields = {
    "model": _name,
    "family": _name,
    "task": _label,
    "default": _name,
    "family_default": _boolean,
    "aliases": _list_of(_reference),
    "published": _published,
    "description": _text,
    "paper": _text,
    "parameter_count": _whole,
    "flops": _number,
    "network": _object(NETWORK, ("builder",)),
    "input": _object(INPUT),
    "checkpoints": _list_of(_object(CHECKPOINT, ("id", "format", "sources"))),
}

LOCKED: Fields = {"url": _url, "sha256": _sha256, "size": _whole}

_check_locked = _object(LOCKED, ("url", "sha256"))


def check_lock(value: Any) -> None:
    """Check a parsed lock file. Raises SchemaError."""
    if type(value) is not dict:
        raise SchemaError((), f"must map references to url, sha256 and size, found {value!r:.60}")
    for reference, item in value.items():
        _reference(reference, (reference,))
        _check_locked(item, (reference,))


_check_model = _object(MODEL, ("model", "family", "task"))


def check_model(model: Any) -> None:
    """Check one compiled model, its checkpoints and how they refer to one another.

    Raises:
        SchemaError: the first thing that is not allowed.
    """
    _check_model(model, ())
    ids: set[str] = set()
    names: set[str] = set()
    for number, checkpoint in enumerate(model.get("checkpoints") or ()):
        where: Where = ("checkpoints", number)
        if not checkpoint["sources"]:
            raise SchemaError(where, "has no source: give `records` or `sources`")
        if checkpoint["id"] in ids:
            raise SchemaError(where, f"two checkpoints have the id {checkpoint['id']!r}")
        ids.add(checkpoint["id"])
        sha256 = checkpoint.get("sha256")
        if sha256 is not None and declared_strength(checkpoint) == "doubtful":
            raise SchemaError(where, "has a sha256 and is doubtful; write doubtful_sha256 instead")
        if sha256 == EMPTY_SHA256:
            raise SchemaError(
                (*where, "sha256"), "is the hash of the empty file; write doubtful_sha256 instead"
            )
        prefix = checkpoint.get("sha256_prefix")
        if sha256 is not None and prefix is not None and not sha256.startswith(prefix):
            raise SchemaError((*where, "sha256_prefix"), "is not the beginning of the sha256")
    for number, checkpoint in enumerate(model.get("checkpoints") or ()):
        for alias in checkpoint.get("aliases") or ():
            if alias in ids or alias in names:
                where = ("checkpoints", number, "aliases")
                raise SchemaError(where, f"the id {alias!r} is taken within the model")
            names.add(alias)
    default = model.get("default")
    if default is not None and default not in ids:
        raise SchemaError(("default",), f"the default checkpoint {default!r} does not exist")
    for uid, id in (model.get("published") or {}).items():
        if id not in ids:
            raise SchemaError(("published", uid), f"the checkpoint {id!r} does not exist")


EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
