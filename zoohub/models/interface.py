"""The input and the classes of a network as it was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zoohub.manifest.entry import InputContract, NetworkSpec
from zoohub.models.own_files import OwnFile
from zoohub.models.texts import for_arguments, sizes_in
from zoohub.models.watching import Watch, for_channels
from zoohub.networks.families import find_family, head_of, outputs_for, stem_of
from zoohub.networks.options import NetworkOptions

if TYPE_CHECKING:
    from mindspore import nn


@dataclass(frozen=True, slots=True)
class Interface:
    """What a network takes and what its outputs are called; `watch` sees when that changes."""

    input: InputContract | None
    classes: tuple[str, ...] | None
    watch: Watch


def interface_of(
    net: nn.Cell,
    spec: NetworkSpec,
    contract: InputContract | None,
    classes: tuple[str, ...] | None,
    said: OwnFile,
    options: NetworkOptions,
    arguments: Mapping[str, object],
) -> Interface:
    """The input and the classes of a network that `options` and `arguments` ask to differ from its
    checkpoint's (`contract`, `classes`), or that has those which the file of its weights `said`."""
    wanted = None if options.num_classes is None else outputs_for(spec, options.num_classes)
    known = spec.arguments.get(find_family(spec.builder).classes_argument)
    if wanted is not None and wanted != known:
        classes = None  # another head
    contract, classes = said.input or contract, said.classes or classes
    channels = options.in_channels or (contract.channels if contract else None)
    side = arguments.get("image_size")
    if contract is not None and type(side) is int:
        contract = replace(contract, size=(side, side))
    if contract is not None and contract.text is not None:
        sizes = {**sizes_in(net, spec), **spec.arguments, **arguments}
        contract = replace(contract, text=for_arguments(contract.text, sizes))
    return Interface(
        input=None if contract is None else for_channels(contract, channels),
        classes=None if options.features_only else classes,
        watch=Watch(net, head=head_of(spec), stem=stem_of(spec), channels=channels),
    )
