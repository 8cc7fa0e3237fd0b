"""Checkpoint files turned into other formats and naming schemes, bit for bit, without MindSpore."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from zoohub.checkpoint import (
    Weights,
    open_checkpoint,
    rename,
    write_ckpt,
    write_pth,
    write_safetensors,
)
from zoohub.errors import CheckpointError, CheckpointMismatch, ExportError
from zoohub.networks.families import family_names, find_family
from zoohub.networks.family import Family

FORMATS = ("ckpt", "safetensors", "pth")
_WRITERS: Mapping[str, Callable[[Path, Weights], Path]] = {
    "ckpt": write_ckpt,
    "safetensors": write_safetensors,
    "pth": write_pth,
}
TORCHVISION = "torchvision"


@dataclass(frozen=True, slots=True)
class Conversion:
    """What was written: the file, how many names changed, and which entries were left out."""

    path: Path
    format: str
    tensors: int
    renamed: int
    left_out: tuple[str, ...]
    family: str | None = None


def convert_file(
    source: str | Path, to: str, output: str | Path | None = None, *, family: str | None = None
) -> Conversion:
    """Write a checkpoint file in another format or under another naming scheme.

    Values keep their bits and element types, bfloat16 included, so that a conversion and its
    reverse give the same tensors. A change of names leaves out what the network has no use for
    (optimiser state, PyTorch's batch counts).

    Args:
        source: a .ckpt, .safetensors or .pth file.
        to: a format, `ckpt`, `safetensors` or `pth`; or a naming scheme: `torchvision`, or a
            family's own (`mindcv`, `mindyolo`; the first layout of its builder).
        output: the file to write, its suffix naming the format; by default beside `source`, with
            the format's suffix, or the scheme's name before the suffix.
        family: the network family the names belong to (`resnet`); by default found by the names.

    Raises:
        ExportError: `to` is neither format nor scheme, no family's names fit, the output is the
            source, or it cannot be written.
        CheckpointCorrupt, CheckpointError: the source cannot be read, or the format cannot hold it.
    """
    source = Path(source)
    weights = open_checkpoint(source)
    format = to if to in FORMATS else weights.format
    if output is None:
        suffix = f".{format}" if to in FORMATS else f".{to}.{format}"
        target = source.with_suffix(suffix)
    else:
        target = Path(output)
        format = _format_of(target, to, format)
    if target.exists() and target.samefile(source):
        raise ExportError(f"{source} cannot be converted into itself; give another --output")
    names = {name: name for name in weights}
    left_out: tuple[str, ...] = ()
    found = None
    if to not in FORMATS:
        found, names, left_out = rename_to(to, weights, family)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _WRITERS[format](target, weights.renamed(names))
    except OSError as error:
        raise ExportError(f"cannot write {target}: {error.strerror or error}") from error
    changed = sum(old != new for old, new in names.items())
    return Conversion(target, format, len(names), changed, left_out, found)


def rename_to(
    scheme: str, names: Mapping[str, object], family: str | None = None
) -> tuple[str, dict[str, str], tuple[str, ...]]:
    """The family a file's names belong to, its names in a scheme, and those left out.

    Raises:
        ExportError: no such scheme, or the names are not of a network that has it, or tensors
            would have to be cut.
    """
    families = [find_family(name) for name in family_names()]
    known = sorted({_own_scheme(f) for f in families if f.layouts} | {TORCHVISION})
    if scheme not in known:
        raise ExportError(
            f"{scheme!r} is neither a format ({', '.join(FORMATS)}) nor a naming scheme "
            f"({', '.join(known)})"
        )
    # torchvision's table is where a file's names can be told from another network's without
    # building it; a family without one is named by the caller.
    candidates = [find_family(family)] if family else [f for f in families if f.torchvision]
    for candidate in candidates:
        if scheme not in (TORCHVISION, _own_scheme(candidate)):
            continue
        _refuse_fused(candidate, names)
        own = _own_names(candidate, names)
        if own is None:
            continue
        renamed, left_out = own
        if scheme == TORCHVISION:
            naming = candidate.torchvision
            there = naming.translate(renamed.values()) if naming else None
            if there is None:
                continue
            renamed = {old: there[new] for old, new in renamed.items()}
        return candidate.name, renamed, left_out
    tried = ", ".join(candidate.name for candidate in candidates)
    raise ExportError(
        f"the file's names cannot be put into the scheme {scheme!r} (tried: {tried}); "
        "name the network's family with --family"
    )


def _refuse_fused(family: Family, names: Mapping[str, object]) -> None:
    """Raises ExportError for a tensor that the network has in pieces: values stay as they are."""
    patterns = [re.compile(old) for layout in family.layouts.values() for old, _ in layout.splits]
    for name in names:
        if any(pattern.fullmatch(name) for pattern in patterns):
            raise ExportError(
                f"{name} is one tensor of which {family.name} has several, and a conversion cuts "
                "none; load the file (--checkpoint) and export the network"
            )


def _own_names(
    family: Family, names: Mapping[str, object]
) -> tuple[dict[str, str], tuple[str, ...]] | None:
    """The file's names as the network's own; None where none of its layouts gives these."""
    for layout in family.layouts.values():
        try:
            result = rename(names, layout)
        except CheckpointMismatch:
            continue
        own = dict(result.names)
        if family.torchvision is None:
            if own:
                return own, result.left_out
        elif family.torchvision.translate(own.values()) is not None:
            return own, result.left_out
    return None


def _own_scheme(family: Family) -> str:
    return next(iter(family.layouts), family.name)


def _format_of(target: Path, to: str, default: str) -> str:
    suffixes = {".ckpt": "ckpt", ".safetensors": "safetensors", ".pth": "pth", ".pt": "pth"}
    named = suffixes.get(target.suffix.lower())
    if to in FORMATS:
        if named not in (None, to):
            raise ExportError(f"{target.name} has the suffix of another format than {to}")
        return to
    if named is None:
        raise CheckpointError(
            f"{target.name} should end in {', '.join(sorted(suffixes))}, to say its format"
        )
    return named or default
