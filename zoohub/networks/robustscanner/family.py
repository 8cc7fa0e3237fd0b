"""RobustScanner: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family


def _mindocr() -> Layout:
    """Of ResNet-31 what MindOCR's RobustScanner calls otherwise than its MASTER."""
    rules = [
        (rf"^backbone\.{kind}1_{n}\.(.+)$", rf"backbone.{kind}{n}.\1")
        for kind in ("conv", "bn")
        for n in (1, 2)
    ]
    for stage in range(2, 6):
        own = f"backbone.layer{stage - 1}"
        block = rf"^backbone\.block{stage}\.(\d+)"
        rules.append((rf"{block}\.downsample\.(.+)$", rf"{own}.\1.down_sample.\2"))
        rules.append((rf"{block}\.(.+)$", rf"{own}.\1.\2"))
        for kind in ("conv", "bn"):
            rules.append((rf"^backbone\.{kind}{stage}\.(.+)$", rf"backbone.{kind}{stage + 1}.\1"))
    return Layout(rules=tuple(rules))


FAMILY = Family(
    name="robustscanner",
    task="scene-text-recognition",
    builder="robustscanner",
    arguments={
        "num_classes": int,
        "steps": int,
        "hidden_size": int,
        "start": int,
        "in_channels": int,
    },
    layouts={"mindocr": _mindocr()},
    head="head.decoder.prediction head.decoder.hybrid_decoder.embedding",
    stem="backbone.conv1",
    inputs=("image", "valid_width_mask", "word_positions"),
    sequences=False,
    takes="inputs:taken",
    raw=("characters",),
    outputs="zoohub.outputs.characters:ROBUST_SCANNER",
    parts="parts:reading_parts",
    exports_parts=False,
    compiles_parts=True,
)
