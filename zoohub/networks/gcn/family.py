"""GCN: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import Family

FAMILY = Family(
    name="gcn",
    task="text-classification",
    builder="gcn",
    arguments={"in_features": int, "hidden": int, "num_classes": int},
    sizes={
        "in_features": ("layer0.fc.weight", 1),
        "hidden": ("layer0.fc.weight", 0),
        "num_classes": ("layer1.fc.weight", 0),
    },
    head="layer1.fc",
    inputs=("adjacency", "features"),
    sequences=False,
)
