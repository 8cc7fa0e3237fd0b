"""CenterNet: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Arguments, Family

_BRANCH = r"^network\.(hm_fn|wh_fn|reg_fn)"
_MODELS = Layout(
    rules=(
        # The hourglasses' heads have their convolutions in cells of their own.
        (rf"{_BRANCH}\.(\d)\.0\.conv\.(.+)$", r"\1.\2.0.\3"),
        (rf"{_BRANCH}\.(\d)\.1\.(.+)$", r"\1.\2.2.\3"),
        (r"^network\.(.+)\.skip\.(.+)$", r"\1.down_sample.\2"),
        (r"^network\.resnet\d+\.(deconv_layers\..+)$", r"\1"),
        (r"^network\.resnet\d+\.(.+)\.downsample\.(.+)$", r"backbone.\1.down_sample.\2"),
        (r"^network\.resnet\d+\.(.+)$", r"backbone.\1"),
        (r"^network\.(.+)$", r"\1"),
    )
)


def _hourglass(arguments: Arguments) -> bool:
    return arguments.get("backbone") == "hourglass"


FAMILY = Family(
    name="centernet",
    task="object-detection",
    builder="centernet",
    arguments={
        "backbone": str,
        "num_classes": int,
        "in_channels": int,
        "decode": bool,
        "max_detections": int,
        "base_channels": int,
    },
    layouts={"models": _MODELS},
    head=lambda arguments: "hm_fn.0.2 hm_fn.1.2" if _hourglass(arguments) else "hm_fn.2",
    stem=lambda arguments: "pre.0.conv" if _hourglass(arguments) else "backbone.conv1",
    raw=("heat", "sizes", "offsets", "chosen"),
    outputs="zoohub.outputs.boxes:point_boxes",
    cut="zoohub.networks.layers.cuts:cut_points",
)
