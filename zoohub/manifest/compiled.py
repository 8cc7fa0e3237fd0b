"""A compiled model's types: the plain JSON that `schema` has checked, and that travels.

A key is absent where nothing is known; what each means, the dataclasses of `entry` say.
"""

from __future__ import annotations

from typing import TypedDict, final

from zoohub.core.json_reader import Json


class _Builder(TypedDict):
    builder: str


class NetworkRow(_Builder, total=False):
    """`NetworkSpec` as JSON."""

    arguments: dict[str, Json]
    parameters: str
    head: str
    stem: str


class TextRow(TypedDict, total=False):
    """`TextContract` as JSON."""

    max_length: int
    vocab_size: int
    pad_id: int
    start_id: int
    end_id: int
    vocabulary: str
    beam_width: int
    max_decode_length: int
    length_penalty: float
    first_position: int


class RegionsRow(TypedDict, total=False):
    """`RegionContract` as JSON."""

    outline: str
    binary: float
    least: float
    expand: float


class BoxesRow(TypedDict, total=False):
    """`BoxContract` as JSON."""

    threshold: float
    eval_threshold: float
    class_threshold: float
    multi_label: bool
    suppression: str
    iou: float
    inclusive: str
    most_of_class: int
    most: int


class LineRow(TypedDict, total=False):
    """`LineContract` as JSON."""

    padding: str
    multiple: int
    narrowest: int
    widest: int
    normalised_first: bool


class InputRow(TypedDict, total=False):
    """`InputContract` as JSON; the texts are those that `schema` allows."""

    size: list[int]
    channels: int
    layout: str
    value_range: str
    mean: list[float]
    std: list[float]
    interpolation: str
    crop: float
    resize: str
    align: str
    fill: list[int]
    colour: str
    provenance: str
    text: TextRow
    regions: RegionsRow
    boxes: BoxesRow
    turned_above: float
    line: LineRow


class _Published(TypedDict):
    uid: str
    url: str


class RecordRow(_Published, total=False):
    """`Record` as JSON."""

    dataset: str
    metrics: dict[str, float]
    mindspore: str
    repository: str
    ref: str
    path: str
    publisher: str
    updated: str


class _File(TypedDict):
    id: str
    format: str
    sources: list[str]


class CheckpointRow(_File, total=False):
    """`Checkpoint` as JSON; a null for `network` or `input` takes its model's away."""

    aliases: list[str]
    publisher: str
    sha256: str
    sha256_prefix: str
    doubtful_sha256: str
    doubtful: bool
    size: int
    network: NetworkRow | None
    input: InputRow | None
    classes: str
    class_names: list[str]
    task: str
    dataset: str
    metrics: dict[str, float]
    licence: str
    dataset_terms: str
    mindspore: str
    hardware: str
    verified: list[str]
    fine_tunable: bool
    note: str
    records: list[RecordRow]


class _Named(TypedDict):
    model: str
    family: str
    task: str


class ModelRow(_Named, total=False):
    """`Entry` as JSON; `published` gives the id that a published name of several files means."""

    default: str
    family_default: bool
    aliases: list[str]
    published: dict[str, str]
    description: str
    paper: str
    parameter_count: int
    flops: float
    steps: dict[str, str]
    network: NetworkRow | None
    input: InputRow | None
    checkpoints: list[CheckpointRow]


class _Locked(TypedDict):
    url: str
    sha256: str


@final
class LockRow(_Locked, total=False):
    """One reference of a lock file: a file."""

    size: int


@final
class StepsRow(TypedDict):
    """One reference of a lock file: a pipeline, whose steps are references of the same file."""

    steps: dict[str, str]
