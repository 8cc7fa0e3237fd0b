"""What a network of sequences must be told to become a graph, said before its weights come."""

from __future__ import annotations

from zoohub.errors import ExportError, ZoohubError
from zoohub.exporting.request import WEIGHT_FORMATS, Request
from zoohub.models.pretrained import meant, network_of
from zoohub.networks.families import find_family
from zoohub.networks.family import Family
from zoohub.settings import Settings


def check_sequences(family: Family, request: Request) -> None:
    """That inputs can be made for a family's networks; those of pictures pass.

    Raises:
        ExportError: there is no length, or some inputs are no sequences.
    """
    if family.inputs == ("image",) or request.format in WEIGHT_FORMATS:
        return
    if family.parts is not None and request.format == "onnx":
        return
    if not family.sequences:
        raise ExportError(
            f"{family.name} takes {', '.join(family.inputs)}, which are not all sequences: it "
            "cannot be exported as a graph; its weights can (.safetensors, .pth)"
        )
    if request.length is None:
        raise ExportError("this network takes sequences: give --length N (length=)")


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
