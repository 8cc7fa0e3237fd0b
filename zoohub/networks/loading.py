"""Building a network from its specification, with a checkpoint's weights in it."""

from __future__ import annotations

import gc
import logging
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import mindspore as ms
from mindspore import nn

from zoohub.checkpoint.cell import apply_plan, table_of
from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.matching import match
from zoohub.checkpoint.naming import Renamer, Renaming
from zoohub.checkpoint.opening import open_weights
from zoohub.checkpoint.planning import Leeway, LoadReport, plan_apply
from zoohub.checkpoint.sliced import merging_hint
from zoohub.checkpoint.source import read_ahead
from zoohub.checkpoint.splitting import split
from zoohub.checkpoint.training_state import is_training_state
from zoohub.checkpoint.weights import TensorInfo, Weights
from zoohub.core.paths import local_path
from zoohub.core.turns import mindspore_turn
from zoohub.errors import CheckpointMismatch, UsageError, ZoohubError
from zoohub.manifest.entry import NetworkSpec
from zoohub.networks.construction import construct_empty
from zoohub.networks.families import find_family, head_of, outputs_for, stem_of
from zoohub.networks.family import Family
from zoohub.networks.options import NetworkOptions
from zoohub.networks.pytorch_numerics import numerics_hint

_log = logging.getLogger(__name__)

# The builders' arguments that position tables follow.
_SIZES = frozenset({"image_size", "branch_sizes", "window_size"})


def build(spec: NetworkSpec, *, initialise: bool = True, **overrides: object) -> nn.Cell:
    """Call the builder of a specification with its arguments, `overrides` taking precedence.

    `initialise=False` skips drawing initial values where MindSpore can (`no_init_parameters`, 2.x):
    parameters then have no data until a checkpoint or `Parameter.init_data` gives them some.
    The network is in MindSpore's own initial mode; `create_network` sets evaluation mode.

    Raises:
        NetworkNotAvailable: no builder of that name.
        UsageError: an argument the builder does not take, or of a wrong type or value.
    """
    family = find_family(spec.builder)
    arguments = {**spec.arguments, **overrides}
    _check_arguments(family, arguments)
    construct = partial(family.load(), **arguments)
    # no_init_parameters sets an attribute of the class Parameter: one construction at a time.
    with mindspore_turn(runs=False), _collection_put_off():
        try:
            return construct() if initialise else construct_empty(construct)
        except ValueError as error:  # an argument's value, which its type could not tell
            raise UsageError(f"{spec.builder}: {error}") from None


def create_network(
    spec: NetworkSpec,
    weights: object,
    options: NetworkOptions | None = None,
    **arguments: object,
) -> tuple[nn.Cell, LoadReport | None]:
    """A network in evaluation mode, and the report of what was loaded (None without weights).

    `weights` is a checkpoint file, what else `open_weights` takes, or None for initial values.
    Further `arguments` go to the builder.

    Raises:
        NetworkNotAvailable: no builder of that name.
        CheckpointCorrupt, CheckpointMismatch: as `open_checkpoint` and `plan_apply`.
        ZoohubError: an argument the builder does not take, or a head that is not known.
    """
    options = options or NetworkOptions()
    changes, replaced = _changes(spec, options)
    resized = options.resized or not _SIZES.isdisjoint(arguments)
    precision = _precision(options.dtype)
    report = None
    if isinstance(weights, str | Path):
        read_ahead(local_path(weights))  # while the network is being built
    opened = None
    if weights is not None:
        opened = open_weights(weights, published=options.published)
        arguments = {**sizes_in_file(spec, opened.table(), {*changes, *arguments}), **arguments}
    net = build(spec, initialise=weights is None, **changes, **arguments)
    if opened is not None:
        report = load_into(
            net,
            opened,
            replace(spec, arguments={**spec.arguments, **changes, **arguments}),
            LoadOptions(
                options.layout,
                options.ema,
                Leeway(
                    replaced=replaced,
                    unused=("",) if options.features_only else options.renewed,
                    channels=options.in_channels,
                    tables=find_family(spec.builder).position_tables if resized else (),
                    strict=options.strict,
                ),
            ),
        )
    if precision is not None:
        net = ms.amp.auto_mixed_precision(net, "O2", precision)
    net.set_train(False)
    return net, report


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How a checkpoint's weights are read, as `NetworkOptions`, and may differ."""

    layout: str | Layout | None = None
    ema: bool = False
    leeway: Leeway = field(default_factory=Leeway)


def load_into(
    net: nn.Cell, weights: Weights, spec: NetworkSpec, options: LoadOptions | None = None
) -> LoadReport:
    """Put a checkpoint's weights into a network built from `spec`: all of them, or none.

    Raises:
        CheckpointMismatch: as `match` and `plan_apply`; the network is unchanged.
    """
    options, family = options or LoadOptions(), find_family(spec.builder)
    network, ema = table_of(net), options.ema
    if ema and weights.averaged is not None:
        weights, ema = weights.averaged, False
    weights = split(weights, family.layouts.values())
    file = weights.table()
    hint = None
    try:
        renaming = _renaming(spec, weights, network, options.layout, ema=ema)
        hint = numerics_hint(family, _publisher(weights, renaming), spec.arguments)
        training = family.training_only_of(spec.arguments)
        leeway = replace(options.leeway, constants=family.constants, training_only=training)
        source = weights.path.name
        plan = plan_apply(network, file, leeway, renaming=renaming, source=source)
    except CheckpointMismatch as error:
        also = f"\n{weights.path.name}: {hint}" if hint else ""
        raise CheckpointMismatch(f"{error}{also}{merging_hint(weights.path)}") from None
    if hint:
        _log.warning("%s: %s", weights.path.name, hint)
    with mindspore_turn(runs=False):
        apply_plan(net, plan, weights)
    if not plan.report.complete:
        _log.warning("%s", plan.report)
    return plan.report


def _changes(
    spec: NetworkSpec, options: NetworkOptions
) -> tuple[dict[str, object], tuple[str, ...]]:
    """The builder's arguments that a caller asks to differ, and the prefixes they replace."""
    changes: dict[str, object] = {}
    replaced: list[str] = [*options.renewed]
    for argument, value, prefixes in (
        ("num_classes", options.num_classes, head_of(spec)),
        ("in_channels", options.in_channels, stem_of(spec)),
    ):
        if value is None:
            continue
        if type(value) is not int or value < 1:
            raise ZoohubError(f"{argument}={value!r}: a whole number above 0 is needed")
        if argument == "num_classes":
            changes[find_family(spec.builder).classes_argument] = outputs_for(spec, value)
        else:
            changes[argument] = value
        replaced += prefixes
    if options.features_only:
        changes["features_only"] = True
    if options.out_indices is not None:
        changes["out_indices"] = tuple(options.out_indices)
    return changes, tuple(replaced)


def sizes_in_file(
    spec: NetworkSpec, file: Mapping[str, TensorInfo], given: Collection[str]
) -> dict[str, object]:
    """The arguments that nobody gave and the shapes of a file's parameters tell.

    A name may stand behind a wrapper's prefix; where several do, the shortest counts.
    """
    family = find_family(spec.builder)
    wanted = {
        name: place
        for name, place in family.sizes.items()
        if name not in spec.arguments and name not in given
    }
    renamers = [Renamer(), *map(Renamer, family.layouts.values())] if wanted else []
    found: dict[str, object] = {}
    for argument, (parameter, axis) in wanted.items():
        ends = re.compile(rf"(?:.*\.)?{re.escape(parameter)}".replace(r"\{\}", r"(\d+)"))
        places = {
            name: place
            for name in file
            if not is_training_state(name)
            for place in (ends.fullmatch(rename(name)) for rename in renamers)
            if place is not None
        }
        if axis is None and places:
            found[argument] = len({place[1] for place in places.values()})
        elif places:
            shape = file[min(places, key=len)].shape
            found.update({argument: shape[axis]} if axis is not None and axis < len(shape) else {})
    return found


def _renaming(
    spec: NetworkSpec,
    weights: Weights,
    network: Mapping[str, TensorInfo],
    layout: str | Layout | None,
    *,
    ema: bool,
) -> Renaming:
    """How the file's names become the network's, by the scheme that is asked for or found."""
    family = find_family(spec.builder)
    own = "" if isinstance(layout, Layout) else layout or spec.parameters or "auto"
    prefix = own if own.endswith(".") else None
    detect = prefix is not None or own == "auto"
    if isinstance(layout, Layout):
        layouts = {"": layout}
    elif detect:
        layouts = {"": Layout(), **family.layouts}
    else:
        layouts = {own: _named(family, own, known_to_caller=own == layout != spec.parameters)}
    return match(
        weights.table(),
        network,
        layouts,
        prefix=prefix,
        ema=ema,
        family=family.name if detect else None,
        source=weights.path.name,
    )


def _publisher(weights: Weights, renaming: Renaming) -> str:
    """By whose names the file tells who trained it; "" where they do not tell."""
    # A file that zoohub exported may have torchvision's names and another's numerics: it says so.
    if weights.texts.get("zoohub.parameters") == "own" or "zoohub.note" in weights.texts:
        return ""
    # VGG's names, say, are torchvision's own: then the format tells.
    return renaming.layout or ("torchvision" if weights.format == "pth" else "")


def _named(family: Family, name: str, *, known_to_caller: bool) -> Layout:
    """The family's layout of that name; an index may name the network's own scheme too."""
    if name not in family.layouts and known_to_caller:
        known = ", ".join(sorted(family.layouts)) or "none"
        raise ZoohubError(
            f"{family.name} knows no parameter scheme {name!r}; it knows {known}. A prefix before "
            "all names ends in a dot"
        )
    return family.layouts.get(name, Layout())


def _check_arguments(family: Family, arguments: Mapping[str, object]) -> None:
    for name, value in arguments.items():
        problem = family.misfit(name, value)
        if problem:
            raise UsageError(problem)


def _precision(dtype: str | None) -> ms.Type | None:
    if dtype is None or dtype == "float32":
        return None
    if dtype not in ("float16", "bfloat16"):
        raise ZoohubError(f"dtype={dtype!r}: choose float32, float16 or bfloat16")
    return getattr(ms, dtype)


@contextmanager
def _collection_put_off() -> Iterator[None]:
    """Look for no garbage meanwhile, and count all objects there are at the end as old.

    What makes up a network stays, and looking through it again and again took a thirtieth of the
    time in which HRNet is loaded. Importing MindSpore leaves a full collection due, which would
    come then: 0.07 s, as long as loading ResNet-50 takes. Nothing is kept that would not be
    otherwise.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if gc.get_freeze_count() == 0:  # what the program froze stays so
            gc.freeze()
            gc.unfreeze()
        gc.enable()
