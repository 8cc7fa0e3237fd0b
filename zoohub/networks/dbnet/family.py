"""DBNet and DBNet++: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER, Arguments, Family

# Blocks in each stage of PP-OCRv3's MobileNetV3, which MindOCR counts by stage.
_STAGES = (3, 3, 6, 3)
_PARTS = ("expand_conv", "bottleneck_conv", "linear_conv")
_FIRST = 3  # the stem is three layers


def _ppocr() -> Layout:
    rules = [
        (r"^backbone\.conv\.conv\.(.+)$", r"backbone.features.0.\1"),
        (r"^backbone\.conv\.bn\.(.+)$", r"backbone.features.1.\1"),
    ]
    place = _FIRST
    for stage, count in enumerate(_STAGES):
        for block in range(count):
            for part, name in enumerate(_PARTS):
                there = rf"^backbone\.stages\.{stage}\.{block}\.{name}"
                here = f"backbone.features.{place}.layers"
                rules.append((rf"{there}\.conv\.(.+)$", rf"{here}.{3 * part}.\1"))
                rules.append((rf"{there}\.bn\.(.+)$", rf"{here}.{3 * part + 1}.\1"))
            place += 1
    last = rf"^backbone\.stages\.3\.{_STAGES[3]}"
    rules += [
        (rf"{last}\.conv\.(.+)$", rf"backbone.features.{place}.\1"),
        (rf"{last}\.bn\.(.+)$", rf"backbone.features.{place + 1}.\1"),
        (r"^neck\.ins_conv\.(.+)$", r"neck.unify_channels.\1"),
        (r"^neck\.inp_conv\.(.+)$", r"neck.out.\1"),
    ]
    return Layout(rules=tuple(rules))


def _stem(arguments: Arguments) -> str:
    mobile = str(arguments.get("backbone", "")).startswith("mobilenet")
    return "backbone.features.0" if mobile else "backbone.conv1"


FAMILY = Family(
    name="dbnet",
    task="scene-text-detection",
    builder="dbnet",
    arguments={
        "backbone": str,
        "scale_fusion": bool,
        "in_channels": int,
        "corners": bool,
        "gate_slope": NUMBER,
        "width": NUMBER,
        "channels": int,
    },
    layouts={"mindocr": Layout(), "mindocr_ppocr": _ppocr()},
    stem=_stem,
    training_only="head.thresh",
    raw=("probability",),
    outputs="zoohub.outputs.text_areas:text_probability",
    loss="loss:binarization_loss",
    multiple=32,
)
