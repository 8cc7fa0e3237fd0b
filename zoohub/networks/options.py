"""What a caller asks of a network, whatever its family; free of MindSpore."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zoohub.checkpoint.layout import Layout


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """How a network is built and its weights are read; see `loading.create_network`.

    `num_classes` and `in_channels` other than the checkpoint's replace the head and adapt the stem
    that the specification names; equal ones change nothing. `features_only` builds the network
    without its head, giving the feature maps of `out_indices`. `layout` overrides the
    specification's naming scheme: its name, rules, `auto` to detect it (as where neither says), or
    the prefix before all names, ending in a dot. `ema` puts in the moving average of the weights.
    With `strict=False` a misfit is logged as a warning. `published`: the weights' file is one of
    the store, which is mapped. `resized`: the pictures may have another size than the weights were
    made for, whose position tables are then interpolated. `dtype` (`float16`, `bfloat16`) is what
    the network computes in: MindSpore's mixed precision O2, normalisations staying in float32.
    `renewed` are prefixes of parameters that are not read from the file, because the network has
    another head than the file's: they keep their initial values, and the file's are left out.
    """

    num_classes: int | None = None
    in_channels: int | None = None
    features_only: bool = False
    out_indices: Sequence[int] | None = None
    layout: str | Layout | None = None
    ema: bool = False
    strict: bool = True
    published: bool = False
    resized: bool = False
    dtype: str | None = None
    renewed: tuple[str, ...] = ()
