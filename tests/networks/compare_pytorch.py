"""PyTorch's networks beside zoohub's, on the same random weights: a .pth of torchvision or timm.

    pip install torch torchvision timm
    python tests/networks/compare_pytorch.py [--only resnet] [--json FILE]
    python tests/networks/compare_pytorch.py --record  # the tables that the test suite has

Run by hand where these are installed. For each architecture that both have: PyTorch saves its
weights, `zoohub.load(name, checkpoint=file)` reads them by the names they have there, and both
answer the same two pictures. The difference is that of the logits, in units of their deviation.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

# A torchvision made for another build of PyTorch has no operators of its own; only its detectors
# would need them, but it does not import without their signatures.
_SIGNATURES = torch.library.Library("torchvision", "FRAGMENT")
for _name, _extra in (("nms", ""), ("qnms", "")):
    try:
        _SIGNATURES.define(f"{_name}(Tensor dets, Tensor scores, float threshold) -> Tensor")
    except RuntimeError:  # this torchvision has its own
        continue

import timm  # noqa: E402
import torchvision  # noqa: E402

import zoohub  # noqa: E402
from zoohub.manifest.opening import open_index  # noqa: E402
from zoohub.models.meaning import network_of  # noqa: E402
from zoohub.networks.families import find_family  # noqa: E402
from zoohub.settings import load_settings  # noqa: E402

LIMIT = 1e-4


@dataclass(frozen=True)
class Pair:
    """`ours` by zoohub's name, with what else its builder needs than the family says; `theirs` by
    torchvision's name or, behind `timm:`, timm's; `size` of the pictures."""

    ours: str
    theirs: str
    size: int = 224
    arguments: dict[str, Any] = field(default_factory=dict)
    their_arguments: dict[str, Any] = field(default_factory=dict)


def same(*names: str) -> tuple[Pair, ...]:
    """Networks that zoohub and torchvision call the same."""
    return tuple(Pair(name, name) for name in names)


PAIRS = (
    *same("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
    *same("resnext50_32x4d", "resnext101_64x4d"),
    Pair("resnext101_32x4d", "timm:resnext101_32x4d"),
    *same("densenet121", "densenet161", "densenet169", "densenet201"),
    *same("vgg11", "vgg13", "vgg16", "vgg19"),
    Pair("squeezenet1_0", "squeezenet1_0", arguments={"pool_rounding": "up"}),
    Pair("squeezenet1_1", "squeezenet1_1"),
    Pair("mobilenet_v2_100", "mobilenet_v2"),
    Pair("mobilenet_v3_small_100", "mobilenet_v3_small"),
    Pair("mobilenet_v3_large_100", "mobilenet_v3_large"),
    Pair("mnasnet_050", "mnasnet0_5"),
    Pair("mnasnet_075", "mnasnet0_75"),
    Pair("mnasnet_100", "mnasnet1_0"),
    Pair("mnasnet_130", "mnasnet1_3"),
    *same(*(f"shufflenet_v2_x{width}" for width in ("0_5", "1_0", "1_5", "2_0"))),
    *(Pair(f"efficientnet_b{n}", f"efficientnet_b{n}") for n in range(8)),
    *(Pair(f"efficientnet_v2_{size}", f"efficientnet_v2_{size}") for size in "sml"),
    # torchvision's x_400mf and y_800mf have other widths.
    *same(*(f"regnet_x_{flops}" for flops in ("800mf", "1_6gf", "3_2gf", "16gf", "32gf"))),
    *same(*(f"regnet_y_{flops}" for flops in ("400mf", "1_6gf", "3_2gf", "16gf", "32gf"))),
    *(
        Pair(f"convnext_{size}", f"timm:convnext_{size}")
        for size in ("tiny", "small", "base", "large", "xlarge")
    ),
    *(
        Pair(
            f"vit_{s}_{patch}_{size}",
            f"timm:vit_{name}_patch{patch}_{size}",
            int(size),
            their_arguments={"num_classes": 1000},
        )
        for s, name, patch, size in (
            ("b", "base", "16", "224"),
            ("b", "base", "32", "224"),
            ("l", "large", "16", "224"),
            ("l", "large", "32", "224"),
            ("b", "base", "16", "384"),
        )
    ),
    Pair("swin_tiny", "timm:swin_tiny_patch4_window7_224"),
    Pair("inception_v4", "timm:inception_v4", 299),
    Pair("ghostnet_100", "timm:ghostnet_100"),
    Pair("rexnet_10", "timm:rexnet_100"),
)


def numerics(pair: Pair) -> dict[str, Any]:
    """The arguments with which zoohub's network computes as PyTorch's."""
    spec = network_of(open_index(load_settings()).resolve(pair.ours))
    return {**find_family(spec.builder).pytorch_arguments(spec.arguments), **pair.arguments}


def with_spread_statistics(net: torch.nn.Module) -> torch.nn.Module:
    """Norms whose statistics and weights are not all 0 and 1, so that exchanging two shows."""
    generator = torch.Generator().manual_seed(1)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for value, low, high in (
                (module.running_mean, -0.1, 0.1),
                (module.running_var, 0.8, 1.2),
                (module.weight.data, 0.8, 1.2),
                (module.bias.data, -0.1, 0.1),
            ):
                value.copy_(low + (high - low) * torch.rand(value.shape, generator=generator))
    return net.eval()


def create(pair: Pair, *, spread: bool = True) -> torch.nn.Module:
    """PyTorch's network with random weights, its norms' statistics `spread`."""
    torch.manual_seed(0)
    publisher, _, name = pair.theirs.rpartition(":")
    if publisher == "timm":
        net = timm.create_model(name, **pair.their_arguments)
    else:
        net = torchvision.models.get_model(name, weights=None, **pair.their_arguments)
    return with_spread_statistics(net) if spread else net


def difference(pair: Pair, folder: Path) -> float:
    """The largest difference of the logits, in units of their standard deviation."""
    import mindspore

    net = create(pair)
    path = folder / "weights.pth"
    torch.save(net.state_dict(), path)
    pictures = np.random.default_rng(0).standard_normal((2, 3, pair.size, pair.size))
    pictures = pictures.astype(np.float32)
    with torch.no_grad():
        theirs = net(torch.from_numpy(pictures)).numpy()
    own = zoohub.load(pair.ours, checkpoint=path, **numerics(pair))
    ours = own(mindspore.Tensor(pictures)).asnumpy()
    return float(np.abs(ours - theirs).max() / theirs.std())


# The tables that `test_pytorch_names.py` reads: one pair of each family and publisher.
RECORDED = (
    *("resnet18", "resnext50_32x4d", "densenet121", "vgg11", "squeezenet1_0", "squeezenet1_1"),
    *("mobilenet_v2_100", "mobilenet_v3_small_100", "mnasnet_050", "shufflenet_v2_x0_5"),
    *("efficientnet_b0", "efficientnet_v2_s", "regnet_x_800mf", "regnet_y_400mf"),
    *("convnext_tiny", "vit_b_32_224", "swin_tiny", "inception_v4", "ghostnet_100", "rexnet_10"),
)
TABLES = Path(__file__).parent.parent / "data" / "pytorch-tables.json.gz"


def record() -> None:
    """Write names and shapes of PyTorch's networks to `TABLES`."""
    tables = {}
    for pair in PAIRS:
        if pair.ours in RECORDED:
            state = create(pair, spread=False).state_dict()
            tables[pair.ours] = {
                "arguments": numerics(pair),
                "table": [[name, list(value.shape)] for name, value in state.items()],
            }
    text = json.dumps(tables, separators=(",", ":")).encode()
    TABLES.write_bytes(gzip.compress(text, mtime=0))
    print(f"{len(tables)} tables in {TABLES}")


def main() -> int:
    """Compare; the status is 1 where a pair differs by more than LIMIT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="pairs whose name has this")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--record", action="store_true", help="write the tables of names")
    options = parser.parse_args()
    if options.record:
        record()
        return 0
    logging.disable(logging.WARNING)
    found: dict[str, float | str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for pair in PAIRS:
            if options.only not in pair.ours:
                continue
            try:
                value: float | str = difference(pair, Path(folder))
                shown = f"{value:.1e}"
            except (zoohub.errors.ZoohubError, ValueError, RuntimeError) as error:
                value = shown = " ".join(str(error).split())[:300]
            found[f"{pair.ours} = {pair.theirs}"] = value
            print(f"{pair.ours:26} {pair.theirs:36} {shown}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    fits = [v for v in found.values() if isinstance(v, float) and v <= LIMIT]
    print(f"{len(fits)} of {len(found)} within {LIMIT:g}")
    return 0 if len(fits) == len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
