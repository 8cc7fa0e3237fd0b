"""Swin transformer: names, arguments, and what PyTorch's publishers call the same layers."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.position_table import PositionTable
from zoohub.networks.family import FEATURES, NUMBER, SEQUENCE, Family
from zoohub.networks.pytorch_names import Naming

# research/cv/swin_transformer: the network inside its loss cell, with the stages' own numbers.
_MODELS = Layout(
    rules=(
        (r"^model\.layers\.0\.(.+)$", r"0.\1"),
        (r"^model\.layers\.([1-9])\.(.+)$", r"0.blocks.\1.\2"),
        (r"^model\.head\.(.+)$", r"classifier.\1"),
        (r"^model\.(.+)$", r"\1"),
    )
)


def _pytorch(merging_first: bool) -> Layout:
    """timm's names, whose merging begins a stage (`merging_first`), or those of the paper's own
    code, whose merging ends one. Both have query, key and value in one piece."""
    plain = [("patch_embed.proj", "patch_embed.proj"), ("classifier", "head.fc")]
    plain.append(("classifier", "head"))
    norms = [("patch_embed.norm", "patch_embed.norm"), ("norm", "norm")]
    single = []
    for stage in range(4):
        here = f"0.blocks.{stage}" if stage else "0"
        plain.append(
            (
                f"{here}.downsample.reduction",
                f"layers.{stage + merging_first}.downsample.reduction",
            )
        )
        norms.append((f"{here}.downsample.norm", f"layers.{stage + merging_first}.downsample.norm"))
        block, there = f"{here}.blocks.{{}}", f"layers.{stage}.blocks.{{}}"
        for part in ("attn.q", "attn.k", "attn.v", "attn.proj", "mlp.fc1", "mlp.fc2"):
            plain.append((f"{block}.{part}", f"{there}.{part}"))
        norms += [(f"{block}.norm{each}", f"{there}.norm{each}") for each in "12"]
        table = "relative_position_bias_table"
        single.append((f"{block}.attn.relative_bias.{table}", f"{there}.attn.{table}"))
    naming = Naming(tuple(plain), tuple(norms), tuple(single)).layout()
    qkv = (r"(.+\.attn)\.qkv\.(weight|bias)", (r"\1.q.\2", r"\1.k.\2", r"\1.v.\2"))
    computed = (r".*\.relative_position_index", r".*\.attn_mask")
    return Layout(naming.rules, (*naming.drop, *computed), (qkv,))


FAMILY = Family(
    name="swin_transformer",
    task="image-classification",
    builder="swin_transformer",
    arguments={
        "image_size": int,
        "patch_size": int,
        "embed_dim": int,
        "depths": SEQUENCE,
        "num_heads": SEQUENCE,
        "window_size": int,
        "mlp_ratio": NUMBER,
        "num_classes": int,
        "in_channels": int,
        "norm_eps": NUMBER,
        "merging_norm_eps": NUMBER,
        "exact_gelu": bool,
        "dropout": NUMBER,
        "drop_path": NUMBER,
        **FEATURES,
    },
    layouts={
        "mindcv": Layout(),
        "models": _MODELS,
        "timm": _pytorch(merging_first=True),
        "microsoft": _pytorch(merging_first=False),
    },
    head="classifier",
    stem="patch_embed.proj",
    torchvision_arguments={"merging_norm_eps": 1e-5, "exact_gelu": True},
    constants=(r".*\.relative_bias\.index", r".*\.attn_mask"),
    position_tables=(
        PositionTable(r".*\.relative_position_bias_table", "relative"),
        PositionTable(r".*\.(relative_bias\.index|attn_mask)", "computed"),
    ),
)
