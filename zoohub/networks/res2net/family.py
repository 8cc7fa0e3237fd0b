"""Res2Net: names and arguments."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, Family

# research/cv/res2net, with `v1b` and `zoo`.
_MODELS = Layout(
    rules=(
        (r"^conv1_0\.(\w+)$", r"conv1.0.\1"),
        (r"^bn1_0\.(\w+)$", r"conv1.1.\1"),
        (r"^conv1_1\.(\w+)$", r"conv1.3.\1"),
        (r"^bn1_1\.(\w+)$", r"conv1.4.\1"),
        (r"^conv1_2\.(\w+)$", r"conv1.6.\1"),
        (r"^(.+)\.down_sample_layer\.(.+)$", r"\1.down_sample.\2"),
        (r"^(.+)\.se_dense_0\.(\w+)$", r"\1.se_module.conv_reduce.\2"),
        (r"^(.+)\.se_dense_1\.(\w+)$", r"\1.se_module.conv_expand.\2"),
        (r"^end_point\.(.+)$", r"classifier.\1"),
    )
)


def _stem(arguments: Mapping[str, object]) -> str:
    return "conv1.0" if arguments.get("v1b") else "conv1"


FAMILY = Family(
    name="res2net",
    task="image-classification",
    builder="res2net",
    arguments={
        "depth": int,
        "v1b": bool,
        "base_width": int,
        "scale": int,
        "num_classes": int,
        "in_channels": int,
        "squeeze_excite": bool,
        "zoo": bool,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "models": _MODELS},
    head="classifier",
    stem=_stem,
)
