"""What an exported file says of itself: one set of strings, whatever the format.

ONNX keeps them in `metadata_props`, MINDIR in `user_info`, safetensors in `__metadata__`, a .pth
in the archive's member `extra/zoohub.json`. Keys are `zoohub.model`, `zoohub.input`, ….
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, cast

from zoohub._version import __version__
from zoohub.core.json_reader import parse_json
from zoohub.errors import DataError
from zoohub.manifest.codec import decode_input
from zoohub.manifest.compiled import InputRow
from zoohub.manifest.entry import NESTED_CONTRACTS, InputContract
from zoohub.manifest.schema import check_input
from zoohub.manifest.values import SchemaError
from zoohub.outputs.box_decoding import BoxDecoding, Level

PREFIX = "zoohub."
_PART = re.compile("[A-Za-z0-9_]{1,40}")  # it becomes part of a file's name
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Metadata:
    """An exported file's own description; None is unknown.

    `checkpoint` is `MODEL@ID`, `sha256` the hash of the checkpoint file the weights came from,
    `family` the family of networks, which knows what the outputs mean (files of zoohub's first
    version do not say it), `inputs` the names of what a part takes, `outputs` those of the outputs,
    in order,
    `parameters` the naming scheme of a weights file, `decoding` how the raw maps of a detector
    exported without decoding become boxes, `parts` the parts of a network that is exported in
    several files (`part_path`), this file's own the last, `part` which of them a file is, `whole`
    the digest of that network, the same in all of its parts (older files say neither),
    `confidence` the score that boxes must exceed to come out of a detector exported with its NMS,
    `writer` the version of zoohub that wrote it.
    """

    model: str | None = None
    task: str | None = None
    family: str | None = None
    checkpoint: str | None = None
    sha256: str | None = None
    input: InputContract | None = None
    classes: tuple[str, ...] | None = None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    licence: str | None = None
    dataset: str | None = None
    dataset_terms: str | None = None
    parameters: str | None = None
    note: str | None = None
    decoding: BoxDecoding | None = None
    confidence: float | None = None
    parts: tuple[str, ...] = ()
    part: str | None = None
    whole: str | None = None
    writer: str = __version__

    def to_strings(self) -> dict[str, str]:
        """One string a known field; compound fields are JSON."""
        strings = {}
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            if isinstance(value, InputContract):
                value = json.dumps(_plain(value))
            elif isinstance(value, BoxDecoding):
                value = json.dumps(asdict(value))
            elif name in ("inputs", "parts") and not value:
                continue
            elif isinstance(value, tuple | float):
                value = json.dumps(value, ensure_ascii=False)
            if value is not None:
                strings[PREFIX + name] = value
        return strings

    @classmethod
    def from_strings(cls, strings: Mapping[str, str], name: str = "the file") -> Metadata:
        """Undo `to_strings`; keys of others, and fields a newer zoohub added, are left aside.
        `name` stands for the file in errors.

        Raises:
            DataError: a field does not hold what zoohub writes there.
        """
        known: dict[str, Any] = {
            field.name: strings[PREFIX + field.name]
            for field in fields(cls)
            if PREFIX + field.name in strings
        }
        known.setdefault("writer", "unknown")
        try:
            for key in {"classes", "inputs", "outputs", "parts"} & known.keys():
                known[key] = _texts(_said(known, key), key)
            if not _are_parts(known.get("parts", ())):
                raise ValueError("parts are no names of parts")
            if "input" in known:
                known["input"] = _contract(_said(known, "input"))
            if "decoding" in known:
                known["decoding"] = _decoding(_said(known, "decoding"))
            if "confidence" in known:
                known["confidence"] = float(_said(known, "confidence"))
        except (DataError, ValueError, TypeError, KeyError, OverflowError) as error:
            raise DataError(f"{name}: its zoohub metadata cannot be read: {error}") from error
        return cls(**known)


def part_path(path: Path, part: str) -> Path:
    """Where another part of an exported network lies: `a.encode.onnx` beside `a.onnx`."""
    return path.with_name(f"{path.stem}.{part}{path.suffix}")


def read_metadata(path: str | Path) -> Metadata:
    """The metadata of an exported file, by its suffix; empty where zoohub did not write it.

    Reading a .mindir needs MindSpore, an .onnx the onnx package.

    Raises:
        DataError: no such file, another suffix, or it cannot be read.
    """
    path = Path(path)
    readers = {
        ".onnx": _onnx_strings,
        ".mindir": _mindir_strings,
        ".safetensors": _safetensors_strings,
        ".pth": _pth_strings,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None or not path.is_file():
        raise DataError(f"{path} is not a .onnx, .mindir, .safetensors or .pth file")
    try:
        strings = reader(path)
    except Exception as error:  # each format's reader has errors of its own
        raise DataError(f"{path}: its metadata cannot be read: {error}") from error
    return Metadata.from_strings(strings, str(path))


def write_user_info(model: Any, strings: Mapping[str, str]) -> None:
    """Put strings into a MINDIR `ModelProto`, whose map MindSpore 2.7 and 2.8 know as entries."""
    if hasattr(model.user_info, "items"):
        model.user_info.update(strings)
        return
    for key, value in strings.items():
        model.user_info.add(key=key, value=value)


def _said(strings: Mapping[str, str], name: str) -> Any:
    return parse_json(strings[name], PREFIX + name, error=DataError)


def _plain(contract: InputContract) -> dict[str, object]:
    """Of what came later, or only some contracts have, nothing where they have not."""
    later = ("turned_above", *NESTED_CONTRACTS)
    return {k: v for k, v in asdict(contract).items() if k not in later or v is not None}


def _contract(content: object) -> InputContract | None:
    """The contract, held to what an index may say: the file may be a stranger's."""
    if not isinstance(content, dict):
        raise TypeError("the input is no mapping")
    known = _known(content, InputContract)
    for name, contract in NESTED_CONTRACTS.items():
        if isinstance(known.get(name), dict):
            known[name] = _known(known[name], contract)
    try:
        check_input(known, ("input",))
    except SchemaError as error:
        raise ValueError(f"{'.'.join(map(str, error.where))}: {error.message}") from None
    return decode_input(cast(InputRow, known))


def _known(content: Mapping[str, T], schema: type) -> dict[str, T]:
    """What the dataclass `schema` has of it, without what is not said."""
    names = {field.name for field in fields(schema)}
    return {key: value for key, value in content.items() if key in names and value is not None}


def _texts(content: object, name: str) -> tuple[str, ...]:
    if not isinstance(content, list) or not all(isinstance(item, str) for item in content):
        raise TypeError(f"{name} is no list of texts")
    return tuple(content)


def _are_parts(names: tuple[str, ...]) -> bool:
    """Whether each is a name of its own that leads to no other folder."""
    return len(set(names)) == len(names) and all(_PART.fullmatch(name) for name in names)


def _decoding(content: Any) -> BoxDecoding:
    levels = tuple(
        Level(
            float(level["stride"]),
            tuple((float(width), float(height)) for width, height in level["anchors"]),
            float(level["xy_scale"]),
        )
        for level in content["levels"]
    )
    return BoxDecoding(levels, str(content["size_rule"]), int(content["anchor_axis"]))


def _onnx_strings(path: Path) -> dict[str, str]:
    import onnx

    return {p.key: p.value for p in onnx.load(path, load_external_data=False).metadata_props}


def _mindir_strings(path: Path) -> dict[str, str]:
    from mindspore.train.mind_ir_pb2 import ModelProto

    model = ModelProto()
    model.ParseFromString(path.read_bytes())
    if hasattr(model.user_info, "items"):
        return dict(model.user_info)
    return {entry.key: entry.value for entry in model.user_info}


def _safetensors_strings(path: Path) -> dict[str, str]:
    from zoohub.checkpoint import open_checkpoint

    return dict(open_checkpoint(path, "safetensors").texts)


def _pth_strings(path: Path) -> dict[str, str]:
    from zoohub.checkpoint.pth import PTH_MEMBER

    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith("/" + PTH_MEMBER):
                content: Any = parse_json(archive.read(name), f"{path}: {name}", error=DataError)
                return dict(content)
    return {}
