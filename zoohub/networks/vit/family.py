"""ViT: names, arguments, and what timm calls the same layers."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.position_table import PositionTable
from zoohub.networks.family import NUMBER, Family
from zoohub.networks.pytorch_names import Naming

_OLD_BLOCK = r"^backbone\.transformer\.layers\.(\d+)"
# mindcv up to 0.2 had the same network under other names; its files have no version in theirs.
_MINDCV = Layout(
    rules=(
        (r"^backbone\.cls$", "cls_token"),
        (r"^backbone\.pos_embedding$", "pos_embed"),
        (r"^backbone\.patch_embedding\.conv\.(.+)$", r"patch_embed.proj.\1"),
        (_OLD_BLOCK + r"\.0\.cell\.0\.(.+)$", r"blocks.\1.norm1.\2"),
        (_OLD_BLOCK + r"\.0\.cell\.1\.qkv\.(.+)$", r"blocks.\1.attn.qkv.\2"),
        (_OLD_BLOCK + r"\.0\.cell\.1\.out\.(.+)$", r"blocks.\1.attn.proj.\2"),
        (_OLD_BLOCK + r"\.1\.cell\.0\.(.+)$", r"blocks.\1.norm2.\2"),
        (_OLD_BLOCK + r"\.1\.cell\.1\.dense([12])\.(.+)$", r"blocks.\1.mlp.fc\2.\3"),
        (r"^backbone\.norm\.(.+)$", r"norm.\1"),
        (r"^head\.classifier\.(.+)$", r"head.\1"),
    )
)

TIMM = Naming(
    plain=(
        ("patch_embed.proj", "patch_embed.proj"),
        ("blocks.{}.attn.qkv", "blocks.{}.attn.qkv"),
        ("blocks.{}.attn.proj", "blocks.{}.attn.proj"),
        ("blocks.{}.mlp.fc{}", "blocks.{}.mlp.fc{}"),
        ("head", "head"),
    ),
    norms=(
        ("blocks.{}.norm{}", "blocks.{}.norm{}"),
        ("norm", "norm"),
        ("fc_norm", "fc_norm"),
    ),
    single=(("cls_token", "cls_token"), ("pos_embed", "pos_embed")),
)


def timm_difference(arguments: Mapping[str, object]) -> str | None:
    """Why the results differ from timm's; None where they do not."""
    if arguments.get("norm_eps", 1e-7) == 1e-6 and arguments.get("exact_gelu", False):
        return None
    return (
        "layer norms have another epsilon and GELU is approximated: for the same results give "
        "timm act_layer=partial(torch.nn.GELU, approximate='tanh') and a norm_layer with "
        f"eps={arguments.get('norm_eps', 1e-7)}"
    )


FAMILY = Family(
    name="vit",
    task="image-classification",
    builder="vit",
    arguments={
        "image_size": int,
        "patch_size": int,
        "embed_dim": int,
        "depth": int,
        "num_heads": int,
        "mlp_ratio": NUMBER,
        "num_classes": int,
        "in_channels": int,
        "global_pool": str,
        "norm_eps": NUMBER,
        "exact_gelu": bool,
        "dropout": NUMBER,
        "drop_path": NUMBER,
    },
    layouts={"mindcv": _MINDCV, "torchvision": TIMM.layout()},
    head="head",
    stem="patch_embed.proj",
    position_tables=(PositionTable("pos_embed", "tokens", prefix_tokens=1),),
    torchvision=TIMM,
    torchvision_arguments={"norm_eps": 1e-6, "exact_gelu": True},
    torchvision_difference=timm_difference,
)
