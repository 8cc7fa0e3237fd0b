"""Building a network from its specification, with a checkpoint's weights in it."""

from __future__ import annotations

import functools
import gc
import inspect
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import mindspore as ms
from mindspore import nn

from zoohub.checkpoint.cell import apply_plan, table_of
from zoohub.checkpoint.naming import detect_layout
from zoohub.checkpoint.opening import open_checkpoint
from zoohub.checkpoint.planning import LoadReport, plan_apply
from zoohub.checkpoint.source import read_ahead
from zoohub.checkpoint.weights import Weights
from zoohub.errors import UsageError, ZoohubError
from zoohub.manifest.entry import NetworkSpec
from zoohub.networks.registry import Builder, Layout, argument_misfit, find_builder

_log = logging.getLogger(__name__)

# no_init_parameters sets an attribute of the class Parameter: one construction at a time.
_construction = threading.RLock()


def build(spec: NetworkSpec, *, initialise: bool = True, **overrides: Any) -> nn.Cell:
    """Call the builder of a specification with its arguments, `overrides` taking precedence.

    `initialise=False` skips drawing initial values where MindSpore can (`no_init_parameters`, 2.x):
    parameters then have no data until a checkpoint or `Parameter.init_data` gives them some.
    The network is in MindSpore's own initial mode; `create_network` sets evaluation mode.

    Raises:
        NetworkNotAvailable: no builder of that name.
        ZoohubError: an argument the builder does not take, or of a wrong type.
    """
    builder = find_builder(spec.builder)
    arguments = {**spec.arguments, **overrides}
    _check_arguments(builder, arguments)
    construct = builder.load()
    with _construction, _signatures_once(), nullcontext() if initialise else _no_initial_values():
        return construct(**arguments)


def create_network(
    spec: NetworkSpec,
    weights: Path | str | Weights | None,
    *,
    num_classes: int | None = None,
    in_channels: int | None = None,
    features_only: bool = False,
    out_indices: Sequence[int] | None = None,
    layout: str | Layout | None = None,
    ema: bool = False,
    strict: bool = True,
    dtype: str | None = None,
    **arguments: Any,
) -> tuple[nn.Cell, LoadReport | None]:
    """A network in evaluation mode, and the report of what was loaded (None without weights).

    `weights` is a checkpoint file, an opened one, or None for initial values. `num_classes` and
    `in_channels` other than the checkpoint's replace the head and the stem that the specification
    names; equal ones replace nothing. `features_only` builds the network without its head, giving
    the feature maps of `out_indices`. `layout` overrides the specification's naming scheme: its
    name, rules, or `auto` to detect it (as where neither says). `dtype` (`float16`, `bfloat16`)
    is what the network computes in: MindSpore's mixed precision O2, normalisations staying in
    float32. Further `arguments` go to the builder. With `strict=False` a misfit is logged as a
    warning.

    Raises:
        NetworkNotAvailable: no builder of that name.
        CheckpointCorrupt, CheckpointMismatch: as `open_checkpoint` and `plan_apply`.
        ZoohubError: an argument the builder does not take, or a head that is not known.
    """
    changes, replaced = _changes(spec, num_classes=num_classes, in_channels=in_channels)
    if features_only:
        changes["features_only"] = True
    if out_indices is not None:
        changes["out_indices"] = tuple(out_indices)
    precision = _precision(dtype)
    report = None
    _put_off_collection()
    if isinstance(weights, str | Path):
        read_ahead(Path(weights))  # while the network is being built
    net = build(spec, initialise=weights is None, **changes, **arguments)
    if weights is not None:
        report = load_into(
            net,
            weights if isinstance(weights, Weights) else open_checkpoint(weights),
            spec,
            layout=layout,
            replaced=replaced,
            unused=("",) if features_only else (),
            ema=ema,
            strict=strict,
        )
    if precision is not None:
        net = ms.amp.auto_mixed_precision(net, "O2", precision)
    net.set_train(False)
    return net, report


def load_into(
    net: nn.Cell,
    weights: Weights,
    spec: NetworkSpec,
    *,
    layout: str | Layout | None = None,
    replaced: Sequence[str] = (),
    unused: Sequence[str] = (),
    ema: bool = False,
    strict: bool = True,
) -> LoadReport:
    """Put a checkpoint's weights into a network built from `spec`: all of them, or none.

    Raises:
        CheckpointMismatch: as `plan_apply`; the network is unchanged.
    """
    network = table_of(net)
    file = weights.table()
    rules = _layout(spec, file, network, layout)
    plan = plan_apply(
        network,
        file,
        layout=rules,
        replaced=replaced,
        unused=unused,
        constants=find_builder(spec.builder).constants,
        ema=ema,
        strict=strict,
        source=weights.path.name,
    )
    apply_plan(net, plan, weights)
    if not plan.report.complete:
        _log.warning("%s", plan.report)
    return plan.report


def _changes(
    spec: NetworkSpec, *, num_classes: int | None, in_channels: int | None
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The builder's arguments that a caller asks to differ, and the prefixes they replace."""
    changes: dict[str, Any] = {}
    replaced: list[str] = []
    for argument, value, prefix in (
        ("num_classes", num_classes, spec.head),
        ("in_channels", in_channels, spec.stem),
    ):
        if value is None:
            continue
        if type(value) is not int or value < 1:
            raise ZoohubError(f"{argument}={value!r}: a whole number above 0 is needed")
        changes[argument] = value
        if prefix:
            replaced += prefix.split()
    return changes, tuple(replaced)


def _layout(
    spec: NetworkSpec,
    file: Mapping[str, Any],
    network: Mapping[str, Any],
    layout: str | Layout | None,
) -> Layout:
    if isinstance(layout, Layout):
        return layout
    builder = find_builder(spec.builder)
    name = layout or spec.parameters
    if name is None or name == "auto":
        name = detect_layout(file, builder, network)
    if name in builder.layouts:
        return builder.layouts[name]
    if layout and layout != spec.parameters:
        known = ", ".join(sorted(builder.layouts)) or "none"
        raise ZoohubError(f"{builder.name} knows no parameter scheme {layout!r}; it knows {known}")
    return Layout()


def _check_arguments(builder: Builder, arguments: Mapping[str, Any]) -> None:
    for name, value in arguments.items():
        problem = argument_misfit(builder, name, value)
        if problem:
            raise UsageError(problem)


def _precision(dtype: str | None) -> Any:
    if dtype is None or dtype == "float32":
        return None
    if dtype not in ("float16", "bfloat16"):
        raise ZoohubError(f"dtype={dtype!r}: choose float32, float16 or bfloat16")
    return getattr(ms, dtype)


def _put_off_collection() -> None:
    """Count all objects there are as old: the next full garbage collection is far then.

    Importing MindSpore leaves one due, and the objects that make up a network would start it:
    0.07 s, as long as loading ResNet-50 takes. Nothing is kept that would not be otherwise.
    """
    if gc.isenabled() and gc.get_freeze_count() == 0:  # what the program froze stays so
        gc.freeze()
        gc.unfreeze()


@contextmanager
def _signatures_once() -> Iterator[None]:
    """Look each signature up once: MindSpore does so for every cell and operator it constructs.

    Constructing ResNet-50 without initial values: 0.19 s without this, 0.15 s with it.
    """
    original = inspect.signature
    cached = functools.cache(original)

    def signature(function: Any, **options: Any) -> inspect.Signature:
        try:
            return cached(function, **options)
        except TypeError:  # not hashable, or no function at all: let the original say so
            return original(function, **options)

    inspect.signature = signature  # type: ignore[assignment]
    try:
        yield
    finally:
        inspect.signature = original


@contextmanager
def _no_initial_values() -> Iterator[None]:
    """`no_init_parameters`, if this MindSpore has it; restores the switch on errors too."""
    try:
        from mindspore.nn.utils import no_init_parameters
    except ImportError:
        yield
        return
    with no_init_parameters():
        yield
