"""Which weights a network is asked for with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from zoohub.core.paths import local_path
from zoohub.errors import UsageError
from zoohub.networks.options import NetworkOptions


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """Which weights a network is to have, how they come and are read; see `zoohub.load`.

    `arguments` are the network builder's own.
    """

    pretrained: bool = False
    own_weights: object = None
    verify: bool = False
    show_progress: bool = True
    force: bool = False
    options: NetworkOptions = field(default_factory=NetworkOptions)
    arguments: Mapping[str, object] = field(default_factory=dict)

    @property
    def own_file(self) -> Path | None:
        """The file of weights of one's own, where these come from one."""
        own = self.own_weights
        return local_path(own) if isinstance(own, str | os.PathLike) else None

    @property
    def compilable(self) -> bool:
        """Whether a compiled form may be kept: of weights as they are, published or a file's; the
        head may be another."""
        own = self.options
        plain = NetworkOptions()
        if self.own_weights is not None:
            plain = NetworkOptions(layout=own.layout, ema=own.ema, num_classes=own.num_classes)
        kept = self.own_weights is None or self.own_file is not None
        return kept and own == plain and self.arguments.keys() <= {"head"}


def weights_request(
    checkpoint: object,
    parameters: str | None = None,
    *,
    num_classes: int | None = None,
    ema: bool = False,
    force: bool = False,
    progress: bool = True,
) -> LoadRequest:
    """A model's published weights, or those of `checkpoint` where one is given; as `zoohub.load`.

    Raises:
        UsageError: what only a checkpoint of one's own can have.
    """
    if checkpoint is None and num_classes is not None:
        raise UsageError("num_classes= says how many classes checkpoint= has; give both")
    return LoadRequest(
        pretrained=checkpoint is None,
        own_weights=checkpoint,
        show_progress=progress,
        force=force,
        options=NetworkOptions(layout=parameters, ema=ema, num_classes=num_classes),
    )
