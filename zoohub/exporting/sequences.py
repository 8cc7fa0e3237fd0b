"""What an export needs to be told, or cannot be, said before the network's weights come."""

from __future__ import annotations

from collections.abc import Sequence

from zoohub.errors import ExportError, ZoohubError
from zoohub.exporting.request import WEIGHT_FORMATS, Request
from zoohub.exporting.shapes import AXES, SEQUENCE_AXES
from zoohub.models.meaning import meant, network_of
from zoohub.networks.families import find_family
from zoohub.networks.family import Family
from zoohub.settings import Settings


def in_parts(family: Family, request: Request) -> bool:
    """Whether a network is exported part by part. What MINDIR can hold whole, it does where a size,
    a batch or a type is asked for, which parts have none of."""
    if family.parts is None or not family.exports_parts:
        return False
    one_size = request.size or request.length or request.batch != 1 or request.dtype
    whole = family.sequences and bool(one_size)
    return request.format == "onnx" or (request.format == "mindir" and not whole)


def check_sequences(family: Family, request: Request) -> None:
    """That inputs can be made for a family's networks; those of pictures take no length.

    Raises:
        ExportError: there is no length, or one too many, or some inputs are no sequences; or what
            a network in parts cannot be asked for.
    """
    if request.format in WEIGHT_FORMATS:
        return
    pictures = family.inputs == ("image",)
    if pictures and request.length is not None:
        raise ExportError("--length (length=) is for networks of text: this one takes pictures")
    if in_parts(family, request):
        _check_parts(request, AXES if pictures or not family.sequences else SEQUENCE_AXES)
        return
    if pictures:
        return
    if family.takes is not None and _has_lengths(family):
        _check_lengths(request)
        return
    if family.takes is not None:
        if request.size is not None or request.length is not None or request.dynamic - {"batch"}:
            raise ExportError(
                f"{family.name} takes {', '.join(family.inputs)} of one size: leave sizes out, and "
                "no axis but batch can stay open"
            )
        return
    if family.parts is not None and family.exports_parts and not family.sequences:
        raise ExportError(
            f"this network is asked part by part, which {request.format} does not hold: export it "
            "as onnx or mindir"
        )
    if not family.sequences:
        raise ExportError(
            f"{family.name} takes {', '.join(family.inputs)}, which are not all sequences: it "
            "cannot be exported as a graph; its weights can (.safetensors, .pth)"
        )
    _check_lengths(request)


def _has_lengths(family: Family) -> bool:
    return any("length" in one.axes for one in family.taken_by({}) or ())


def _check_lengths(request: Request) -> None:
    if request.size is not None:
        raise ExportError("--size (size=) is for networks of pictures: this one takes text")
    if request.length is None or request.length < 1:
        raise ExportError("this network takes sequences: give --length N (length=)")
    unknown = sorted(request.dynamic - set(SEQUENCE_AXES))
    if unknown:
        raise ExportError(f"no axis {', '.join(unknown)}: choose from {', '.join(SEQUENCE_AXES)}")


def _check_parts(request: Request, axes: Sequence[str]) -> None:
    """Parts are whole and in float32, and their `axes` always open."""
    refused = {"--quantize": request.quantize, "--dtype": request.dtype, "--nms": request.nms}
    if any(refused.values()):
        names = ", ".join(name for name, value in refused.items() if value)
        raise ExportError(
            f"this network is exported in parts, in float32 and not quantised: leave {names} out"
        )
    others = sorted(request.dynamic - set(axes))
    fixed = {"--batch": request.batch != 1, "--length": request.length, "--size": request.size}
    given = [name for name, is_given in fixed.items() if is_given]
    given += [f"--dynamic {','.join(others)}"] if others else []
    if given:
        raise ExportError(
            f"this network is exported in parts that take any {' and any '.join(axes)}: leave "
            f"{', '.join(given)} out"
        )


def check_named(model: str, request: Request, settings: Settings) -> None:
    """The same of a reference or a run; what no network is known of, loading it tells.

    Raises:
        ExportError: as `check_sequences`.
    """
    try:
        family = find_family(network_of(meant(model, settings)[0]).builder)
    except ZoohubError:
        return
    check_sequences(family, request)
