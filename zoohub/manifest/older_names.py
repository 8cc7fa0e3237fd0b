"""Names that publishers once used and the index does not list: what they follow from.

Only two patterns are read so: MindSpore Hub's UIDs (`mindspore/ascend/1.3/resnet50_v1.5_cifar10`)
and names of published files (`resnet50_224.ckpt`). Their beginning is a model's whole name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_UID = re.compile(
    r"mindspore/(?:(?:ascend|gpu|cpu|d?910[ab]?|310)/)?"
    r"r?(?P<release>\d+(?:\.\d+){1,2})/(?P<name>[^/]+)",
    re.IGNORECASE,
)
_FILE = re.compile(
    r"(?P<name>[^/\\]+?)(?:-[0-9a-f]{8}){0,2}"
    r"\.(?:ckpt|mindir|air|onnx|pth|pt|safetensors|ms|om|tar\.gz)",
    re.IGNORECASE,
)
_VERSION = re.compile(r"_v\d+(\.\d+)*(?=_|$)", re.IGNORECASE)


def same_elsewhere(reference: str, prefixes: Sequence[str]) -> Iterator[str]:
    """The UIDs of the same file in other releases, the named one first, then the newest."""
    match = _UID.fullmatch(reference)
    if match is None:
        return
    named = match["release"]
    ordered = sorted(prefixes, key=_release, reverse=True)
    ordered.sort(key=lambda prefix: named not in prefix.split("/"))
    for name in dict.fromkeys((match["name"], _VERSION.sub("", match["name"]))):
        for prefix in ordered:
            yield f"{prefix}/{name}"


def beginnings(reference: str) -> Iterator[str]:
    """What could be the name of the model that an older name begins with, the longest first."""
    match = _UID.fullmatch(reference) or _FILE.fullmatch(reference)
    if match is None:
        return
    parts = re.split(r"([_-])", match["name"])
    for end in range(len(parts), 0, -2):
        yield "".join(parts[:end])


def _release(prefix: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", prefix))
