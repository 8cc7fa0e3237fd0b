"""What the labs' own model lists say of a model: sizes, input, names of head and stem."""

from __future__ import annotations

import re
from typing import Any

from importer.facts import Facts, Row
from importer.naming import canonical
from importer.overrides import Overrides

Value = dict[str, Any]

_IMAGENET_MEAN = [0.485, 0.456, 0.406]
_IMAGENET_STD = [0.229, 0.224, 0.225]
_SIZE_IN_NAME = re.compile(r"_\d{3}_(\d{2,3})$")


def describe_models(facts: Facts, overrides: Overrides) -> dict[str, Value]:
    """Model name -> its fields, for every mindcv name, mindyolo configuration and Hub page
    without a file. `family` and `task` are among the fields."""
    result: dict[str, Value] = {}
    for name, row in facts.mindcv.items():
        model = overrides.model(canonical(name), "mindcv")
        result[model] = _mindcv(name, row, overrides)
    for name, row in facts.mindyolo.items():
        model = overrides.model(canonical(name), "mindyolo")
        result[model] = _mindyolo(name, row, overrides)
    for page in facts.pages:
        stem = canonical(str(page["uid"]).rsplit("/", 1)[-1])
        model = overrides.pages.get(str(page["uid"]), stem)
        described = result.setdefault(model, {})
        described.setdefault("aliases", []).append(page["uid"])
        if page["module_type"] == "mm" and "task" not in described:
            described.update(family=model, task="multi-modal")
    return result


def _family(name: str, row: Row, overrides: Overrides) -> str:
    own = canonical(str(row["family"]))
    return overrides.model_families.get(canonical(name)) or overrides.families.get(own, own)


def _mindcv(name: str, row: Row, overrides: Overrides) -> Value:
    family = _family(name, row, overrides)
    network: Value = {"builder": family, "parameters": "mindcv"}
    if row.get("classifier"):
        network["head"] = row["classifier"]
    if row.get("first_conv"):
        network["stem"] = row["first_conv"]
    return {
        "family": family,
        "task": "image-classification",
        "aliases": [name, *(row.get("aliases") or [])],
        "parameter_count": _count(row.get("params_m")),
        "network": network,
        "input": _mindcv_input(name, row),
        # publisher -> dataset and the name of its classes
        "classes": {"mindcv": "imagenet2012 imagenet-1k"} if _classifies(row) else None,
    }


def _classifies(row: Row) -> bool:
    return row.get("num_classes") == 1000 and not str(row["name"]).endswith("pretrain")


def _mindcv_input(name: str, row: Row) -> Value:
    """Its configuration, else its recipe, else mindcv's evaluation defaults; says which."""
    recipe: Row = row.get("recipe_params") or {}
    said: set[str] = set()

    def pick(configured: object, from_recipe: object, default: object) -> Any:
        for origin, value in (("configuration", configured), ("recipe", from_recipe)):
            if value is not None:
                said.add(origin)
                return value
        said.add("publisher default")
        return default

    size = row.get("input_size")
    resize = recipe.get("image_resize")
    in_name = _SIZE_IN_NAME.search(name)
    if size is not None:
        said.add("configuration")
        height, width = size[-2:]
    elif row["family"] == "mobilenetv2" and in_name:
        # mindcv's code says 224 for all of them; the weights were trained at the name's size.
        said.add("size in the name")
        height = width = int(in_name[1])
    else:
        both = pick(None, resize, 224)
        height, width = (both, both) if isinstance(both, int) else both
    scale = row.get("mean_scale") or 1
    mean = pick(row.get("mean"), None, [m * scale for m in _IMAGENET_MEAN])
    std = pick(row.get("std"), None, [s * scale for s in _IMAGENET_STD])
    origins = ("configuration", "recipe", "size in the name", "publisher default")
    return {
        "size": [height, width],
        "mean": [_unit(value, scale) for value in mean],
        "std": [_unit(value, scale) for value in std],
        "interpolation": pick(row.get("interpolation"), recipe.get("interpolation"), "bilinear"),
        "crop": pick(row.get("crop_pct"), recipe.get("crop_pct"), 0.875),
        "provenance": ", ".join(origin for origin in origins if origin in said),
    }


def _unit(value: float, scale: float) -> float:
    return round(value / scale, 6)


def _mindyolo(name: str, row: Row, overrides: Overrides) -> Value:
    family = _family(name, row, overrides)
    flops = row.get("flops_g")
    return {
        "family": family,
        "task": "object-detection",
        "aliases": [name, *(row.get("aliases") or [])],
        "parameter_count": _count(row.get("params_m")),
        "flops": None if flops is None else round(flops * 1e9),
        "network": {"builder": family, "parameters": "mindyolo"},
        "input": _mindyolo_input(row),
        "classes": {"mindyolo": "coco2017 coco-2017"} if row.get("num_classes") == 80 else None,
    }


def _mindyolo_input(row: Row) -> Value | None:
    """The test transforms of its configuration."""
    steps = {step["func_name"]: step for step in row.get("test_transforms") or ()}
    if "letterbox" not in steps or not row.get("image_size"):
        return None
    scaled = "image_norm" in steps
    rgb = steps.get("image_transpose", {}).get("bgr2rgb", True)
    return {
        "size": [row["image_size"], row["image_size"]],
        "value_range": "0..1" if scaled else "0..255",
        "resize": "letterbox",
        "interpolation": "area",  # of its data set's `load_image`, where nothing is augmented
        "colour": "RGB" if rgb else "BGR",
        "provenance": "configuration",
    }


def _count(millions: float | None) -> int | None:
    return None if millions is None else round(millions * 1_000_000)
