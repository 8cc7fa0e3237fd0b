"""What is known of a family of networks, as data: readable without MindSpore.

Each folder `networks/<family>/` holds a `family.py` whose `FAMILY` is one of these, and a
`network.py` with the builder it names. `families.py` finds them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.position_table import PositionTable
from zoohub.networks.picture_sizes import ANY, Sides, fixed_size_problem
from zoohub.networks.pytorch_names import Naming

if TYPE_CHECKING:  # outputs are arrays: to say what families there are takes no NumPy
    from zoohub.outputs.box_decoding import BoxDecoding
    from zoohub.outputs.form import Read

if TYPE_CHECKING:
    from mindspore import nn

Arguments: TypeAlias = Mapping[str, object]  # of a builder, by name
Kind: TypeAlias = "type | tuple[type, ...]"

# What arguments may be, for the tables in `family.py` files.
NUMBER: Kind = (float, int)
NUMBER_OR_NONE: Kind = (float, int, type(None))
INT_OR_NONE: Kind = (int, type(None))
SEQUENCE: Kind = (tuple, list)
FEATURES: Mapping[str, Kind] = {"features_only": bool, "out_indices": SEQUENCE}


@dataclass(frozen=True, slots=True)
class LossRequest:
    """What a loss is made for: the classes, (height, width) of the network's input in pixels (0 of
    text), how many workers share a batch, and what the recipe says of the loss's parts, by their
    names."""

    classes: int
    size: tuple[int, int]
    workers: int = 1
    label_smoothing: float = 0.0
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cut:
    """What of a network goes into an exported file.

    Attributes:
        names: those of the outputs the network now gives, flattened; a last one with `*` stands
            for all the rest, numbered (`map_*`: `map_0`, `map_1`, …).
        kept: which of them the file has, in the same words; None: all.
        decoding: how raw maps become boxes; None where the outputs need none.
    """

    names: tuple[str, ...]
    kept: tuple[str, ...] | None = None
    decoding: BoxDecoding | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """An input of a part: its axes are names where they are of any length; `dtype` is NumPy's
    name. An export is tested with whole numbers below `below`, and with `height` and `width` that
    are multiples of `sides`."""

    name: str
    axes: tuple[str | int, ...]
    dtype: str = "int32"
    below: int = 2
    sides: int = 1

    def dims(self, lengths: Mapping[str, int]) -> tuple[int, ...]:
        """The shape with which an export is tested, where named axes are so long."""
        return tuple(
            axis if isinstance(axis, int) else lengths[axis] * self._unit(axis)
            for axis in self.axes
        )

    def _unit(self, axis: str) -> int:
        return self.sides if axis in ("height", "width") else 1


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a network, over the same parameters: a cell, what it takes, and the names of what
    it gives."""

    net: nn.Cell
    inputs: tuple[Taken, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One family of networks.

    Attributes:
        name: that of its folder, and what an index calls `builder`.
        task: the index's name of the task its networks are for.
        builder: the function in the folder's `network.py` that returns the `nn.Cell`.
        arguments: what it takes, by name and type, in its signature's order; all have defaults.
        layouts: publishers' naming schemes of checkpoint files, by name.
        head: the parameters that `num_classes` gives another shape: dotted prefixes, with spaces
            between several, or a function of the arguments that gives them; None: it has none.
        stem: the same for `in_channels`: the first convolution.
        constants: regular expressions of parameters whose value the constructor computes
            (anchors, strides). A file that has them overrules the constructor; one that lacks
            them, as older files do, is complete all the same.
        training_only: the parameters that nothing but training uses, as `head` says them. A file
            that lacks all of a prefix is complete: they are newly initialised, and reported.
        position_tables: the parameters whose shape follows the picture's size (position
            embeddings, tables of distances), so that a file for another size can be resized.
        torchvision: torchvision's (or timm's) module paths for the same network; None where it
            has none. It gives the layout `torchvision` and the names of exported weights.
        sizes: arguments that follow from a file where neither the index nor the caller says them
            (a vocabulary that the training data made): by the argument's name, the parameter and
            the axis whose length it is; without an axis, `{}` in the parameter's name stands for
            any number, and their count is the argument.
        inputs: the names of what its networks take, in the order of `construct`: `image`; of text
            `ids`, `mask`, …, whole numbers (int32) of (batch, length).
        layout: of the pictures it takes, `NCHW` or `NHWC`.
        sequences: whether inputs other than `image` are that; else `construct` says what they are,
            and zoohub cannot make any to export with, unless `takes` says how.
        takes: `module:function`, found as `outputs` is, `(arguments) -> (Taken, …)`: what each of
            the `inputs` is where they are neither one picture nor all sequences. The axes "batch"
            and "length" of each may stay open in exported files.
        raw: the names of what they give in evaluation mode, as `Cut.names`.
        outputs: the function that brings these into the task's canonical form, a
            `zoohub.outputs.form.Read`: `module:function`, the module in the family's folder
            (without MindSpore) or `zoohub.outputs.…`.
        heads: of a text encoder what its argument `head` may be, the default first.
        loss: `module:function`, found as `outputs` is, what it is trained with: `(net,
            LossRequest) -> (cell, loss)`, where the cell (`net`, or a shell around it) gives what
            the loss takes before the targets; None: the task's own.
        learns_shapes: whether that loss takes the shapes of objects too, and not their boxes alone,
            in the network that arguments make.
        loss_weights: what each part of that loss counts for, by the names that recipes have, or a
            function of the arguments that says so.
        sides: the (height, width) that pictures must have, None where any does, or a function of
            the arguments that says so.
        multiple: what a picture's height and width are multiples of, or a function of the
            arguments that says so.
        parts: `module:function` in the family's folder, `(net) -> {name: Part}`: the parts of
            which a task that searches asks one after the other, the one it asks most as the last;
            None: the network is asked whole.
        exports_parts: whether an ONNX or MINDIR file is made of each part; else of the whole
            network.
        compiles_parts: whether onnxruntime runs each part where the network is asked by its name;
            None: if `exports_parts`.
        start_head: `module:function`, found as `outputs` is, `(net, classes, size)`, which sets a
            fresh head's values before training; None: as they were drawn.
        from_config: what a publisher's configuration says in terms that are not the builder's own
            (`multiple_of`), put into those: `(the model's arguments, the caller's) -> the
            caller's`; None: it only has other names, see `spellings`.
        cut: `module:function` in the family's folder, `(net, *, decode: bool) -> Cut`: makes the
            network give what is exported, in place; without `decode` what is left when its last,
            parameterless computation is left out. None: all that it gives, and nothing can be
            left out.
        torchvision_arguments: the builder's arguments with which the computation is that of
            torchvision (timm, or who else trains in PyTorch), where its own are others; or a
            function of the arguments that gives them.
        torchvision_difference: says of the arguments in what the computation differs from
            torchvision's though the names agree; None where it does not.
    """

    name: str
    task: str
    builder: str
    arguments: Mapping[str, Kind]
    layouts: Mapping[str, Layout] = field(default_factory=dict)
    head: str | Callable[[Arguments], str] | None = None
    stem: str | Callable[[Arguments], str] | None = None
    constants: tuple[str, ...] = ()
    training_only: str | Callable[[Arguments], str] | None = None
    position_tables: tuple[PositionTable, ...] = ()
    torchvision: Naming | None = None
    torchvision_arguments: Arguments | Callable[[Arguments], Arguments] = field(
        default_factory=dict
    )
    torchvision_difference: Callable[[Arguments], str | None] | None = None
    sizes: Mapping[str, tuple[str, int | None]] = field(default_factory=dict)
    inputs: tuple[str, ...] = ("image",)
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    sequences: bool = True
    takes: str | None = None
    raw: tuple[str, ...] = ("logits",)
    outputs: str = "zoohub.outputs.class_scores:class_scores"
    heads: tuple[str, ...] = ()
    loss: str | None = None
    learns_shapes: Callable[[Arguments], bool] = lambda arguments: False
    loss_weights: Mapping[str, float] | Callable[[Arguments], Mapping[str, float]] = field(
        default_factory=dict
    )
    sides: Sides | Callable[[Arguments], Sides] = ANY
    multiple: int | Callable[[Arguments], int] = 1
    parts: str | None = None
    exports_parts: bool = True
    compiles_parts: bool | None = None
    start_head: str | None = None
    from_config: Callable[[Arguments, Arguments], Arguments] | None = None
    cut: str | None = None

    def load(self) -> Callable[..., nn.Cell]:
        """Import the builder. This imports MindSpore."""
        module = importlib.import_module(f"zoohub.networks.{self.name}.network")
        builder: Callable[..., nn.Cell] = getattr(module, self.builder)
        return builder

    def find(self, target: str) -> Callable[..., Any]:
        """The function that `module:function` names, imported; see `outputs`, `loss`, `cut`."""
        module, _, name = target.partition(":")
        if not module.startswith("zoohub."):
            module = f"zoohub.networks.{self.name}.{module.removeprefix('.')}"
        found: Callable[..., Any] = getattr(importlib.import_module(module), name)
        return found

    def read_outputs(self) -> Read:
        """The function of `outputs`."""
        return self.find(self.outputs)

    def taken_by(self, arguments: Arguments) -> tuple[Taken, ...] | None:
        """What the network that `arguments` make takes, where `takes` says so."""
        if self.takes is None:
            return None
        taken: tuple[Taken, ...] = self.find(self.takes)(arguments)
        return taken

    def parts_of(self, net: nn.Cell) -> Mapping[str, Part]:
        """The parts of a network; empty where it is asked whole."""
        if self.parts is None:
            return {}
        parts: Mapping[str, Part] = self.find(self.parts)(net)
        return parts

    def cut_network(self, net: nn.Cell, *, decode: bool) -> Cut | None:
        """Make `net` give what is exported, in place; None: its last layer cannot be left out."""
        if self.cut is not None:
            cut: Cut = self.find(self.cut)(net, decode=decode)
            return cut
        return Cut(self.raw) if decode else None

    @property
    def compilable(self) -> bool:
        """Whether onnxruntime can run the network, or each of its parts, by the network's name."""
        by_default = self.parts is None or self.exports_parts
        return by_default if self.compiles_parts is None else self.compiles_parts

    @property
    def classes_argument(self) -> str:
        """The argument that says how many classes there are: `num_labels` in networks of text."""
        return "num_labels" if "num_labels" in self.arguments else "num_classes"

    def head_of(self, arguments: Arguments) -> tuple[str, ...]:
        """The prefixes of the head's parameters in the network that `arguments` make."""
        return _prefixes(self.head, arguments)

    def size_problem(self, arguments: Arguments, size: tuple[int, int] | None) -> str | None:
        """Why the network that `arguments` make takes no pictures of (height, width), if so."""
        if size is None:
            return None
        problem = fixed_size_problem(self.name, self.sides_of(arguments), size)
        if problem is not None:
            return problem
        multiple = self.multiple(arguments) if callable(self.multiple) else self.multiple
        if not any(side % multiple for side in size):
            return None
        nearest = [max(1, round(side / multiple)) * multiple for side in size]
        return (
            f"{self.name} takes pictures whose sides are multiples of {multiple}, not "
            f"{size[0]}x{size[1]}: {nearest[0]}x{nearest[1]} would do"
        )

    def sides_of(self, arguments: Arguments) -> Sides:
        """The (height, width) that pictures of the network that `arguments` make must have."""
        return self.sides(arguments) if callable(self.sides) else self.sides

    def weights_of(self, arguments: Arguments) -> Mapping[str, float]:
        """What the parts of the loss count for in the network that `arguments` make."""
        weights = self.loss_weights
        return weights(arguments) if callable(weights) else weights

    def stem_of(self, arguments: Arguments) -> tuple[str, ...]:
        """The prefixes of the stem's parameters in the network that `arguments` make."""
        return _prefixes(self.stem, arguments)

    def pytorch_arguments(self, arguments: Arguments) -> Arguments:
        """What `torchvision_arguments` say of the network that `arguments` make."""
        known = self.torchvision_arguments
        return known(arguments) if callable(known) else known

    def training_only_of(self, arguments: Arguments) -> tuple[str, ...]:
        """The prefixes of what only training uses in the network that `arguments` make."""
        return _prefixes(self.training_only, arguments)

    def misfit(self, name: str, value: object) -> str | None:
        """Why the builder cannot take this argument; None if it can.

        A whole number does for a float and a list for a tuple; True is no number.
        """
        if name not in self.arguments:
            known = ", ".join(sorted(self.arguments)) or "none"
            return f"{self.name} takes no argument {name!r}; it takes {known}"
        expected = self.arguments[name]
        kinds = expected if isinstance(expected, tuple) else (expected,)
        fits = (
            isinstance(value, kinds)
            or (float in kinds and isinstance(value, int))
            or (tuple in kinds and isinstance(value, list))
        )
        if fits and (not isinstance(value, bool) or bool in kinds):
            return None
        wanted = " or ".join(kind.__name__ for kind in kinds)
        return f"{self.name}: {name}={value!r} should be {wanted}"


def _prefixes(
    known: str | Callable[[Arguments], str] | None, arguments: Arguments
) -> tuple[str, ...]:
    if known is None:
        return ()
    return tuple((known if isinstance(known, str) else known(arguments)).split())
