"""What a compiled model may look like: the one gate every index passes, ours or a stranger's.

A compiled model is plain JSON: the fields of `Entry` with `checkpoints` as a list of the fields of
`Checkpoint`, each with `records`. Absent means None or empty. A checkpoint without the key
`network` or `input` has its model's; with null it has none. `declared` is not stored, it follows
from the hashes (see `declared`).
"""

from __future__ import annotations

from typing import cast, get_args

from zoohub.manifest.compiled import LockRow, ModelRow, StepsRow
from zoohub.manifest.declared import declared_strength
from zoohub.manifest.entry import Resize, Suppression
from zoohub.manifest.values import (
    Fields,
    SchemaError,
    Where,
    check_arguments,
    check_boolean,
    check_class_lists,
    check_class_names,
    check_count,
    check_crop,
    check_label,
    check_level,
    check_metrics,
    check_name,
    check_number,
    check_prefix,
    check_published,
    check_reference,
    check_sha256,
    check_share,
    check_size,
    check_steps,
    check_text,
    check_url,
    check_whole,
    choice,
    list_of,
    mapping_of,
)

SCHEMA = 1

EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
# fmt: off
FORMATS = frozenset((
    "ckpt", "safetensors", "pth", "mindir", "air", "geir", "om", "mslite", "onnx", "npz",
    "zip", "tar", "tar.gz",
))
# fmt: on

NETWORK: Fields = {
    "builder": check_label,
    "arguments": check_arguments,
    "parameters": check_label,
    "head": check_text,
    "stem": check_text,
}
TEXT: Fields = {
    "max_length": check_count,
    "vocab_size": check_count,
    "pad_id": check_whole,
    "start_id": check_whole,
    "end_id": check_whole,
    "vocabulary": check_text,
    "beam_width": check_count,
    "max_decode_length": check_count,
    "length_penalty": check_number,
    "first_position": check_whole,
}
REGIONS: Fields = {
    "outline": choice("quad", "polygon"),
    "binary": check_number,
    "least": check_number,
    "expand": check_number,
}
BOXES: Fields = {
    "threshold": check_share,
    "eval_threshold": check_share,
    "class_threshold": check_share,
    "multi_label": check_boolean,
    "suppression": choice(*get_args(Suppression)),
    "iou": check_share,
    "inclusive": choice("input", "picture"),
    "most_of_class": check_count,
    "most": check_count,
}
LINE: Fields = {
    "padding": choice("black", "zero", "edge"),
    "multiple": check_count,
    "narrowest": check_count,
    "widest": check_count,
    "normalised_first": check_boolean,
}
INPUT: Fields = {
    "size": check_size,
    "channels": check_count,
    "layout": choice("NCHW", "NHWC"),
    "value_range": choice("0..1", "0..255"),
    "mean": list_of(check_number),
    "std": list_of(check_number),
    "interpolation": choice("nearest", "bilinear", "bicubic", "area"),
    "crop": check_crop,
    "resize": choice(*get_args(Resize)),
    "align": choice("centre", "corner"),
    "fill": list_of(check_level),
    "colour": choice("RGB", "BGR", "L"),
    "provenance": check_text,
    "text": mapping_of(TEXT),
    "regions": mapping_of(REGIONS),
    "boxes": mapping_of(BOXES),
    "turned_above": check_number,
    "line": mapping_of(LINE),
}
check_input = mapping_of(INPUT)
RECORD: Fields = {
    "uid": check_reference,
    "url": check_url,
    "dataset": check_text,
    "metrics": check_metrics,
    "mindspore": check_text,
    "repository": check_text,
    "ref": check_text,
    "path": check_text,
    "publisher": check_label,
    "updated": check_text,
}
CHECKPOINT: Fields = {
    "id": check_name,
    "aliases": list_of(check_name),
    "format": choice(*sorted(FORMATS)),
    "publisher": check_label,
    "sources": list_of(check_url),
    "sha256": check_sha256,
    "sha256_prefix": check_prefix,
    "doubtful_sha256": check_text,
    "doubtful": check_boolean,
    "size": check_whole,
    "network": mapping_of(NETWORK, ("builder",)),
    "input": check_input,
    "classes": check_class_lists,
    "class_names": check_class_names,
    "task": check_label,
    "dataset": check_text,
    "metrics": check_metrics,
    "licence": check_text,
    "dataset_terms": check_text,
    "mindspore": check_text,
    "hardware": check_text,
    "verified": list_of(check_text),
    "fine_tunable": check_boolean,
    "note": check_text,
    "records": list_of(mapping_of(RECORD, ("uid", "url"))),
}
MODEL: Fields = {
    "model": check_name,
    "family": check_name,
    "task": check_label,
    "default": check_name,
    "family_default": check_boolean,
    "aliases": list_of(check_reference),
    "published": check_published,
    "description": check_text,
    "paper": check_text,
    "parameter_count": check_whole,
    "flops": check_number,
    "steps": check_steps,
    "network": mapping_of(NETWORK, ("builder",)),
    "input": check_input,
    "checkpoints": list_of(mapping_of(CHECKPOINT, ("id", "format", "sources"))),
}

LOCKED: Fields = {"url": check_url, "sha256": check_sha256, "size": check_whole}

_check_locked = mapping_of(LOCKED, ("url", "sha256"))
_check_locked_steps = mapping_of({"steps": check_steps}, ("steps",))


def check_lock(value: object) -> dict[str, LockRow | StepsRow]:
    """Check a parsed lock file; returns it. Raises SchemaError."""
    if type(value) is not dict:
        raise SchemaError((), f"must map references to url, sha256 and size, found {value!r:.60}")
    for reference, item in value.items():
        check_reference(reference, (reference,))
        pipeline = type(item) is dict and "steps" in item
        (_check_locked_steps if pipeline else _check_locked)(item, (reference,))
    for reference, item in value.items():
        for step in item.get("steps", {}).values():
            if step not in value:
                raise SchemaError((reference, "steps"), f"the step {step!r} is not in the lock")
    return value


# Each field of a model by itself; `check_model` looks at how they go together, too.
check_fields = mapping_of(MODEL, ("model", "family", "task"))


def check_model(value: object) -> ModelRow:
    """Check one compiled model, its checkpoints and how they refer to one another; returns it.

    Raises:
        SchemaError: the first thing that is not allowed.
    """
    check_fields(value, ())
    model = cast("ModelRow", value)
    if "steps" in model and not {"checkpoints", "network", "input"}.isdisjoint(model):
        raise SchemaError(("steps",), "a pipeline has steps and no network or file of its own")
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
    return model
