"""CenterNet for people and their joints: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

FAMILY = Family(
    name="centernet_pose",
    task="keypoint-detection",
    builder="centernet_pose",
    arguments={"num_classes": int, "num_joints": int, "in_channels": int, "base_channels": int},
    layouts={"models": Layout(rules=((r"^network\.(.+)$", r"\1"),))},
    head="hm_fn.2",
    stem="dla_seg.dla.base_layer.conv",
    multiple=32,
    raw=("heat", "joints", "sizes", "joint_heat", "offsets", "joint_offsets"),
)
