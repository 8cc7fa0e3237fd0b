"""Classification networks as these tests try them: what pictures they take, weights by rule, and
where they come from, as an export wants to know it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from cases import CASES, Case
from weights_rule import fill_by_rule

from zoohub.graphs.folding import relative_difference
from zoohub.manifest.entry import Entry, InputContract, NetworkSpec
from zoohub.models.provenance import Provenance
from zoohub.networks.families import find_family
from zoohub.networks.loading import build

# A network that is pretrained takes a mask beside its pictures, and calls nothing by name.
CLASSIFIERS = [
    case
    for case in CASES
    if find_family(case.family).task == "image-classification"
    and not case.arguments.get("pretraining")
]

# Families whose networks take pictures of one size, as far as no argument says another: it is part
# of their weights. The others take any.
FIXED: Mapping[str, tuple[int, int]] = {
    "alexnet": (227, 227),
    "lenet": (32, 32),
    "augvit": (224, 224),
    "cait": (224, 224),
    "cct": (224, 224),
    "cmt": (224, 224),
    "coat": (224, 224),
    "convit": (224, 224),
    "edgenext": (256, 256),
    "halonet": (256, 256),  # or a multiple: blocks of 8 divide the map at 1/32
    "mae": (224, 224),
    "mlp_mixer": (224, 224),
    "pit": (224, 224),
    "pvt": (224, 224),
    "repmlp": (224, 224),
    "sppnet": (224, 224),
    "swin_transformer": (224, 224),
    "swin_transformer_v2": (256, 256),
    "tnt": (224, 224),
    "vgg": (224, 224),
    "vig": (224, 224),
    "visformer": (224, 224),
    "vit": (224, 224),
    "vit_split": (224, 224),
    "volo": (224, 224),
    "xcit": (224, 224),
}
# The least size for which every map is larger than the windows over it, where that is not 64.
LEAST: Mapping[str, tuple[int, int]] = {
    "inception_resnet_v2": (96, 96),
    "inception_v3": (96, 96),
    "inception_v4": (96, 96),
    "nasnet": (96, 96),
    "pnasnet": (96, 96),
    "xception": (96, 96),
}

# Of float32, by which a picture's outputs may differ relative to the largest. HRNet's depth adds up
# more, by the reference data's own word; ViG chooses neighbours, of which some are equally near;
# XCiT's own reference differs by 7e-6 from one version of MindSpore to another, and a BiT of 101
# layers by 1.4e-5 between a processor's sets of instructions.
LIMIT = 1e-5
UNSTEADY: Mapping[str, float] = {"bit": 5e-5, "hrnet": 5e-5, "vig": 1e-4, "xcit": 2e-5}
# The gain of weights by rule for which outputs stay finite and steady, where a reference has none
# or another.
GAINS: Mapping[str, float] = {
    "bit": 0.3,
    "crossvit": 0.5,
    "efficientnet": 0.5,
    "glore": 0.3,
    "hournas": 1.0,
    "hrnet": 0.5,
    "repmlp": 0.5,
    "resnest": 0.5,
    "repvgg": 0.3,  # three branches are added: float16 had no room for the sums
    "vig": 0.3,
    "visformer": 0.3,
    "wave_mlp": 0.3,
}
# float16 keeps 11 bits: 5e-4 for one rounding, more through the layers. SNN-MLP's neurons fire
# above a threshold: of those near it some do otherwise. BiT norms its weights in float16 too.
HALF_LIMIT = 2e-2
UNSTEADY_HALF: Mapping[str, float] = {"bit": 8e-2, "snn_mlp": 5e-2}

# One network of each family is tried in the gate, with as little of it as has every operator.
REDUCED: Mapping[str, Mapping[str, Any]] = {
    "augvit": {"depth": 2, "image_size": 32},
    "autoaugment": {"width": 16},
    "cait": {"depth": 2, "image_size": 64},
    "cct": {"depth": 2, "image_size": 64},
    "cmt": {"depths": (1, 1, 1, 1), "image_size": 64},
    "coat": {"serial_depths": (1, 1, 1, 1), "image_size": 64},
    "convit": {"depth": 2, "local_depth": 1, "image_size": 64},
    "convnext": {"depths": (1, 1, 1, 1)},
    "crossvit": {"branch_sizes": (48, 64)},
    "densenet": {"depths": (2, 2, 2, 2)},
    "dpn": {"depths": (1, 2, 2, 1)},
    "edgenext": {"depths": (1, 2, 2, 2), "image_size": 64},
    "halonet": {"depths": (1, 2, 2, 2), "attention_blocks": ((), (1,), (1,), (1,))},
    "hire_mlp": {"depths": (2, 2, 2, 2)},
    "mae": {"depth": 2, "image_size": 64},
    "mlp_mixer": {"depth": 2, "image_size": 64},
    "pit": {"depths": (1, 1, 1), "image_size": 64},
    "poolformer": {"depths": (1, 1, 1, 1)},
    "pvt": {"depths": (1, 1, 1, 1), "image_size": 64},
    "pvt_v2": {"depths": (1, 1, 1, 1)},
    "repmlp": {"depths": (1, 1, 1, 1)},
    "repvgg": {"depths": (1, 1, 2, 1)},
    "snn_mlp": {"depths": (1, 1, 2, 1)},
    "swin_transformer": {"depths": (2, 2, 2, 2), "embed_dim": 24, "num_heads": (1, 2, 4, 8)},
    "swin_transformer_v2": {
        "depths": (2, 2, 2, 2),
        "image_size": 128,
        "embed_dim": 24,
        "num_heads": (1, 2, 4, 8),
    },
    "tnt": {"depth": 2, "image_size": 64},
    "vgg": {"depth": 11},
    "vig": {"depth": 2},
    "visformer": {"depths": (0, 1, 1, 1), "image_size": 64},
    "vit": {"depth": 2, "image_size": 64},
    "vit_split": {"depth": 2, "image_size": 64},
    "volo": {"depths": (1, 1, 1, 1), "image_size": 64},
    "wave_mlp": {"depths": (1, 1, 1, 1)},
    "xcit": {"depth": 2, "image_size": 64},
}


# Tried outside the gate only: too large for it.
OUTSIDE = frozenset(
    [
        "bit",
        "edgenext",
        "glore",
        "halonet",
        "hardnet",
        "hire_mlp",
        "hournas",
        "hrnet",
        "inception_resnet_v2",
        "inception_v3",
        "inception_v4",
        "nasnet",
        "pnasnet",
        "repmlp",
        "swin_transformer",
        "vgg",
    ]
)
# ResNeSt's attention norms one pooled value a picture by the batch's statistics: of two pictures
# both become ±1, whatever they are, and where two values nearly agree the gradient is without
# bounds; SKNet's and GENet's likewise. A ViG as drawn knows two by chance; the last cells of a
# HarDNet, two by four, and of a deep Res2Net or ResNeXt are too few for steady statistics. They
# learn from more.
BATCH: Mapping[str, int] = {
    "genet": 8,
    "hardnet": 8,
    "res2net": 8,
    "resnest": 16,
    "resnext": 8,
    "sknet": 8,
    "vig": 8,
}


@dataclass(frozen=True)
class Classifier:
    """A network to be tried: a case, and what arguments differ from the case's."""

    case: Case
    reduced: Mapping[str, Any]

    @property
    def arguments(self) -> dict[str, Any]:
        return {**self.case.arguments, **self.case.reduced, **self.reduced}

    def build(self, **more: Any) -> Any:
        """The network as its constructor leaves it."""
        return find_family(self.case.family).load()(**{**self.arguments, **more})

    def filled(self) -> Any:
        """The network in evaluation mode with weights by rule, and with where it comes from."""
        family = self.case.family
        spec = NetworkSpec(family, self.arguments)
        net = build(spec, initialise=False)
        known = self.case.sample["gain"] if self.case.sample else 1.0
        fill_by_rule(net, gain=GAINS.get(family, known))
        entry = Entry(self.case.model, family, "image-classification", None, network=spec)
        contract = InputContract(self.size, self.channels, self.layout)
        net.zoohub = Provenance(entry, None, contract, None, None, None, network=spec)
        return net.set_train(False)

    def fresh_for_two_classes(self) -> Any:
        """The network as it is drawn, with a head of two classes where it has one; nothing of it
        left out by chance."""
        asked = {"num_classes": 2, "dropout": 0.0, "drop_path": 0.0}
        takes = find_family(self.case.family).arguments
        return self.build(**{name: value for name, value in asked.items() if name in takes})

    @property
    def limit(self) -> float:
        return UNSTEADY.get(self.case.family, LIMIT)

    @property
    def half_limit(self) -> float:
        return UNSTEADY_HALF.get(self.case.family, HALF_LIMIT)

    @property
    def batch(self) -> int:
        """How many pictures it is trained on."""
        return BATCH.get(self.case.family, 2)

    @property
    def layout(self) -> Any:
        return "NHWC" if self.arguments.get("raw_input") else "NCHW"

    @property
    def channels(self) -> int:
        return 1 if self.case.family == "lenet" else 3

    @property
    def size(self) -> tuple[int, int]:
        side = self.arguments.get("image_size")
        if "part_sizes" in self.arguments:  # RepMLPNet's, of maps at 1/4, 1/8, …
            side = 4 * self.arguments["part_sizes"][0]
        own = (side, side) if isinstance(side, int) else self.fixed
        return own or LEAST.get(self.case.family, (64, 64))

    @property
    def fixed(self) -> tuple[int, int] | None:
        """The one size it takes as far as no argument says another, None where it takes any."""
        if self.arguments.get("gather") == "learned":  # GENet's kernels as large as its maps
            return (224, 224)
        return FIXED.get(self.case.family)

    @property
    def takes_any_size(self) -> bool:
        return self.fixed is None

    def picture(self, batch: int, more: int = 0) -> np.ndarray:
        """Noise, of `more` pixels more on each side."""
        height, width = (side + more for side in self.size)
        shape: Sequence[int] = (batch, self.channels, height, width)
        if self.layout == "NHWC":
            shape = (batch, height, width, self.channels)
        return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def largest_difference(expected: list[np.ndarray], found: list[np.ndarray]) -> float:
    """Of several outputs, each relative to its largest magnitude."""
    return max(map(relative_difference, expected, found))


def in_gate(outside: frozenset[str] = OUTSIDE) -> list[Classifier]:
    """One reduced network of each family but those `outside`: the first one that has a
    reference."""
    ordered = sorted(CLASSIFIERS, key=lambda case: case.sample is None)
    first = {case.family: case for case in reversed(ordered) if case.family not in outside}
    return [Classifier(case, REDUCED.get(family, {})) for family, case in sorted(first.items())]


def whole(case: Case) -> Classifier:
    """All of a network, on as small pictures as its family is tried with where it says for which
    size it is made: the largest train on 24 GiB so, and in minutes."""
    side = REDUCED.get(case.family, {}).get("image_size")
    if side is None or case.family == "swin_transformer_v2":  # whose stages would be one window
        return Classifier(case, {})
    patch = case.arguments.get("patch_size", 1)
    return Classifier(case, {"image_size": side // patch * patch})


def tried(gate: bool = True, outside: frozenset[str] = OUTSIDE) -> list[Any]:
    """Parameters of a test: all networks whole, outside the gate, and with `gate` those in it."""
    every = [pytest.mark.slow, pytest.mark.every]
    entire = [pytest.param(whole(case), id=case.id, marks=every) for case in CLASSIFIERS]
    reduced = [
        pytest.param(one, id=f"{one.case.id}-reduced", marks=pytest.mark.slow)
        for one in in_gate(outside)
    ]
    return [*reduced, *entire] if gate else entire
