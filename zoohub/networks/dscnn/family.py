"""DS-CNN: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import Family

FAMILY = Family(
    name="dscnn",
    task="natural-language-understanding",
    builder="dscnn",
    arguments={"channels": int, "num_classes": int, "frames": int, "coefficients": int},
    sizes={"channels": ("model.0.weight", 0)},
    inputs=("cepstrum",),
    sequences=False,
)
