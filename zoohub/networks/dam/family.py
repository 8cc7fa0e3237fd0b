"""DAM: names and arguments."""

from __future__ import annotations

from zoohub.networks.family import Family

FAMILY = Family(
    name="dam",
    task="dialogue",
    builder="dam",
    arguments={
        "vocab_size": int,
        "embed_dim": int,
        "depth": int,
        "turns": int,
        "words": int,
        "first_channels": int,
        "last_channels": int,
    },
    sizes={
        "vocab_size": ("embedding.embedding_table", 0),
        "embed_dim": ("embedding.embedding_table", 1),
        "depth": ("self_blocks.{}.ffn.fc1.weight", None),
        "first_channels": ("cnn_3d.conv_0.weight", 0),
        "last_channels": ("cnn_3d.conv_1.weight", 0),
    },
    inputs=("turns", "turn_lengths", "response", "response_lengths"),
    sequences=False,
    takes="inputs:taken",
    raw=("score",),
)
