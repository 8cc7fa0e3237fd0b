"""What the index says of a model: frozen, free of MindSpore, the same for every reader.

Unknown is None, never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Declared = Literal["sha256", "prefix", "none", "doubtful"]


SHIPPED = "embedded"  # the scheme of what comes with the package


@dataclass(frozen=True, slots=True)
class TextContract:
    """How text becomes the network's input, and its answer text: both are token ids.

    `max_length` is the longest input in tokens, its end included; `vocab_size` how many ids there
    are; `pad_id`, `start_id` and `end_id` what fills up, begins and ends a sequence (None: nothing
    does). `vocabulary` says in words which file has the tokens, and where it comes from; as
    `embedded:NAME` it is a file that comes with the package, beside its checkpoints. Of a network
    that writes: how many `beam_width` candidates are followed, for `max_decode_length`
    tokens, and the exponent of `length_penalty`. `first_position` is the row of the table of
    positions that the first token has (RoBERTa's begin behind padding's).
    """

    max_length: int | None = field(default=None, metadata={"low": 1})
    vocab_size: int | None = field(default=None, metadata={"low": 1})
    pad_id: int = field(default=0, metadata={"low": 0})
    start_id: int | None = None
    end_id: int | None = None
    vocabulary: str | None = None
    beam_width: int = 1
    max_decode_length: int | None = None
    length_penalty: float = 0.0
    first_position: int = 0

    @property
    def shipped_vocabulary(self) -> str | None:
        """The name of the file of tokens that comes with the package; None where none does."""
        scheme, _, name = (self.vocabulary or "").partition(":")
        return name if scheme == SHIPPED else None


@dataclass(frozen=True, slots=True)
class RegionContract:
    """How the maps of a text detector become outlines of text; None: as its family does it.

    `outline` is a quadrilateral or a polygon of any number of corners; `binary` the least value of
    a pixel (DBNet: its probability; PSENet: its logit) or of a narrow box (CTPN: its score);
    `least` the least score of a text (DBNet, PSENet: its pixels' mean; CTPN: its boxes'; the
    others: that of each pixel); `expand` how far outwards DBNet's outlines are moved: times area /
    perimeter.
    """

    outline: Literal["quad", "polygon"] | None = None
    binary: float | None = None
    least: float | None = None
    expand: float | None = None


Suppression = Literal["iou", "diou", "soft", "soft_in_order"]
_SHARE: Mapping[str, float] = {"low": 0.0, "high": 1.0}


@dataclass(frozen=True, slots=True)
class BoxContract:
    """How a detector's candidates become boxes, as its publisher's evaluation has it; None: as
    mindyolo's scripts do it where nothing is said of the model.

    A candidate scores above `threshold` to be shown (None: 0.25) and above `eval_threshold` to be
    measured (0.001); above `class_threshold` (0) its class alone must, without the objectness.
    With `multi_label` a box is a candidate for every class, and not for its best one only (None:
    where it is measured). `suppression` is what boxes of one class do to each other: by `iou` the
    weaker goes if they overlap by more than `iou` (0.65), as a part of their union; by `diou` the
    same, less the square of how far their centres are apart, as a part of the diagonal of both
    (Zheng et al. 2019). `soft` weakens it instead (Bodla et al. 2017), `soft_in_order` too, but
    each by all that scored better at first. `inclusive`: a box from pixel 0 to pixel 1 is two
    pixels wide, of the network's input or of the picture itself. Of a class `most_of_class` boxes
    stay (None: any number), of a picture `most` (300).
    """

    threshold: float | None = field(default=None, metadata=_SHARE)
    eval_threshold: float | None = field(default=None, metadata=_SHARE)
    class_threshold: float | None = field(default=None, metadata=_SHARE)
    multi_label: bool | None = None
    suppression: Suppression | None = None
    iou: float | None = field(default=None, metadata=_SHARE)
    inclusive: Literal["input", "picture"] | None = None
    most_of_class: int | None = field(default=None, metadata={"low": 1})
    most: int | None = field(default=None, metadata={"low": 1})


@dataclass(frozen=True, slots=True)
class LineContract:
    """How a picture of a line of text, made as high as the input at its own ratio, fills its width.

    The width is rounded up, with `multiple` then to the nearest multiple of that; it is no less
    than `narrowest` and no more than the input's, or `widest` where the network takes any width:
    a longer line is squeezed. What is left of the input on the right is `padding`: `black` pixels,
    `zero` once values are normalised, or the line's last column (`edge`). `normalised_first`:
    before the picture is resized.
    """

    padding: Literal["black", "zero", "edge"] = "black"
    multiple: int | None = field(default=None, metadata={"low": 1})
    narrowest: int = field(default=1, metadata={"low": 1})
    widest: int | None = field(default=None, metadata={"low": 1})
    normalised_first: bool = False


# The parts of an `InputContract` that are contracts of their own, by its names of them.
NESTED_CONTRACTS: Mapping[str, type] = {
    "text": TextContract,
    "regions": RegionContract,
    "boxes": BoxContract,
    "line": LineContract,
}

# How a picture comes to the size of the input, and the ways that leave that open.
Resize = Literal["crop", "letterbox", "stretch", "pad", "within", "at_least", "at_most", "line"]
OPEN_RESIZES = ("within", "at_least", "at_most")


@dataclass(frozen=True, slots=True)
class InputContract:
    """How a picture, or a text, becomes the network's input.

    `size` is (height, width) in pixels; `mean` and `std` are in units of `value_range`;
    `crop` is the part of the resized picture's shorter side that the centre crop keeps. A picture
    more than `turned_above` times as high as wide is turned by 90° to the left first (None: none
    is). `line` is what `resize: line` does in detail. `resize` of text detectors makes sides
    multiples of 32 and keeps the ratio, nearly: `pad` fits the picture into `size`, filled up with
    black at the right and below; of the others the input is as large as what comes out: `within`
    fits it into `size`, `at_least` enlarges it until the shorter side is that of `size`, `at_most`
    shrinks it until the longer side is. `regions` says how they see text in what they give, and
    `boxes` how detectors of objects choose boxes.
    A letterbox has the picture in its middle, or with `align` "corner" at the top left, and around
    it `fill`: a level of 0 to 255, one for all channels or one for each (None: YOLO's grey, 114).
    `provenance` says where the values come from ("recipe", "publisher default", …). `text` is the
    contract of a network that reads text, which has no use for what is said of pictures.
    """

    size: tuple[int, int] | None = None
    channels: int = 3
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    value_range: Literal["0..1", "0..255"] = "0..1"
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    interpolation: Literal["nearest", "bilinear", "bicubic", "area"] | None = None
    crop: float | None = None
    resize: Resize = "crop"
    align: Literal["centre", "corner"] = "centre"
    fill: tuple[int, ...] | None = None
    colour: Literal["RGB", "BGR", "L"] = "RGB"
    provenance: str | None = None
    text: TextContract | None = None
    regions: RegionContract | None = None
    boxes: BoxContract | None = None
    turned_above: float | None = None
    line: LineContract | None = None

    @property
    def open_size(self) -> bool:
        """Whether the input's height and width follow from the picture."""
        return self.resize in OPEN_RESIZES

    @property
    def open_width(self) -> bool:
        """Whether the input's width follows from the picture."""
        return self.line is not None and self.line.widest is not None

    @property
    def open_axes(self) -> tuple[str, ...]:
        """The axes whose length follows from what is given, by the names that `export` has."""
        if self.text is not None:
            return ("batch", "length")
        if self.open_size:
            return ("batch", "height", "width")
        return ("batch", "width") if self.open_width else ("batch",)


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """Which network definition a checkpoint's parameters belong to.

    `builder` names a family (a folder of `zoohub.networks`), `arguments` are given to its builder,
    and `parameters` names the layout (naming scheme) the file's parameters follow. `head` and
    `stem` are the network's own names of the classifier and the first convolution where they are
    not the family's: dotted prefixes, with spaces between several.
    """

    builder: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    parameters: str | None = None
    head: str | None = None
    stem: str | None = None

    def with_arguments(self, arguments: Mapping[str, object]) -> NetworkSpec:
        """The same with these arguments, in the place of its own where it has them."""
        return replace(self, arguments={**self.arguments, **arguments})


@dataclass(frozen=True, slots=True)
class Record:
    """One published appearance of a checkpoint."""

    uid: str
    url: str
    dataset: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    mindspore: str | None = None
    repository: str | None = None
    ref: str | None = None
    path: str | None = None
    publisher: str | None = None
    updated: str | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One content: one set of bytes, published under one or more URLs.

    `declared` says how strong the publisher's hash is; `sha256` is the full hash or None (also
    None where the hash is doubtful: then `doubtful_sha256` keeps what was declared, for display
    only). `sha256_prefix` is a published fragment of 7 to 9 hex digits. `size` is in bytes.
    `classes` names a data set whose class names zoohub has, or the lists of characters and single
    classes they are made up of (`<blank> chinese <space>`); `class_names` are the outputs' own
    names in their order, as a fine-tuned model has them, and win over `classes`.
    """

    model: str
    id: str
    format: str
    sources: tuple[str, ...]
    declared: Declared
    sha256: str | None = None
    sha256_prefix: str | None = None
    doubtful_sha256: str | None = None
    size: int | None = None
    aliases: tuple[str, ...] = ()
    network: NetworkSpec | None = None
    input: InputContract | None = None
    classes: str | None = None
    class_names: tuple[str, ...] | None = None
    task: str | None = None
    dataset: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    licence: str | None = None
    dataset_terms: str | None = None
    mindspore: str | None = None
    hardware: str | None = None
    verified: tuple[str, ...] = ()
    fine_tunable: bool | None = None
    note: str | None = None
    records: tuple[Record, ...] = ()

    @property
    def reference(self) -> str:
        """`MODEL@ID`, the checkpoint's full name."""
        return f"{self.model}@{self.id}"

    def _repr_html_(self) -> str:
        from zoohub.manifest.cards import checkpoint_html

        return checkpoint_html(self)


@dataclass(frozen=True, slots=True)
class Entry:
    """A model: an architecture variant with its checkpoints.

    `default` is the id of the default checkpoint (None where none is published);
    `family_default` says whether the family's name means this model. `parameter_count` counts
    single weights; `flops` are multiply-adds for one input, as the publisher states them. An entry
    with `steps` is a pipeline: it has no file of its own, but references of its steps' networks,
    by the steps' names and in their order.
    """

    model: str
    family: str
    task: str
    default: str | None
    family_default: bool = False
    aliases: tuple[str, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    network: NetworkSpec | None = None
    input: InputContract | None = None
    description: str | None = None
    paper: str | None = None
    parameter_count: int | None = None
    flops: float | None = None
    steps: Mapping[str, str] = field(default_factory=dict)
    index: str = "built-in"

    def checkpoint(self, id: str | None = None) -> Checkpoint | None:
        """The checkpoint of that id, or the default one; None where there is none."""
        wanted = id or self.default
        return next((c for c in self.checkpoints if c.id == wanted), None)

    def network_of(self, checkpoint: Checkpoint | None) -> NetworkSpec | None:
        """The network of one of its checkpoints: that one's own, else the model's."""
        return (checkpoint.network if checkpoint else None) or self.network

    def input_of(self, checkpoint: Checkpoint | None) -> InputContract | None:
        """The input of one of its checkpoints: that one's own, else the model's."""
        return (checkpoint.input if checkpoint else None) or self.input

    @property
    def metrics(self) -> Mapping[str, float]:
        """The default checkpoint's metrics."""
        default = self.checkpoint()
        return default.metrics if default else {}

    @property
    def licence(self) -> str | None:
        """The default checkpoint's licence."""
        default = self.checkpoint()
        return default.licence if default else None

    def _repr_html_(self) -> str:
        from zoohub.manifest.cards import entry_html

        return entry_html(self)


class Entries(list[Entry]):
    """A list of entries that a notebook shows as a table."""

    def _repr_html_(self) -> str:
        from zoohub.manifest.cards import entries_html

        return entries_html(self)
