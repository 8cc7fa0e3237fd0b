"""GAT: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import SEQUENCE, Family

FAMILY = Family(
    name="gat",
    task="text-classification",
    builder="gat",
    arguments={"in_features": int, "hidden": int, "heads": SEQUENCE, "num_classes": int},
    sizes={
        "in_features": ("layers.0.attns.0.feature_transform.weight", 1),
        "num_classes": ("layers.1.attns.0.bias", 0),
    },
    inputs=("features", "mask"),
    sequences=False,
)
