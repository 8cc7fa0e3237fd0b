"""BGCF: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import Family

FAMILY = Family(
    name="bgcf",
    task="text-classification",
    builder="bgcf",
    arguments={"users": int, "items": int, "embed_dim": int},
    sizes={
        "users": ("user_embed", 0),
        "items": ("item_embed", 0),
        "embed_dim": ("user_embed", 1),
    },
    inputs=(
        "user",
        "item",
        "other",
        "user_group",
        "user_neighbours",
        "user_sampled",
        "item_group",
        "item_neighbours",
        "item_sampled",
        "other_group",
        "other_neighbours",
        "other_sampled",
    ),
    sequences=False,
    raw=(
        "user_embedding",
        "user_representation",
        "item_embedding",
        "item_representation",
        "other_embedding",
        "other_representation",
    ),
)
