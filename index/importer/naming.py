"""From published names to models, releases and ids: the rules of index/README.md, as functions."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from importer.facts import Row

_OLD_PAGE = re.compile(r"(?P<stem>.+)_v\d+(\.\d+)?(_(?P<rest>.*))?")


@dataclass(frozen=True)
class HubPage:
    """A MindSpore Hub UID taken apart: `release` is `1.10`; `hardware` None means Ascend."""

    release: str
    hardware: str | None
    stem: str
    dataset: str | None


def canonical(name: str) -> str:
    """A published name as a model's name: lower case, `-` and blanks as `_`.

    >>> canonical("BiT_resnet50"), canonical("yolov7-tiny"), canonical("UNet3+")
    ('bit_resnet50', 'yolov7_tiny', 'unet3plus')
    """
    text = name.lower().replace("+", "plus")
    return re.sub(r"_+", "_", re.sub(r"[^a-z0-9.]+", "_", text)).strip("_.")


def squash(text: str) -> str:
    """Letters and digits only, for comparing two spellings of one dataset."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def slug(dataset: str) -> str:
    """A dataset's name as part of an id.

    >>> slug("oxford-iiit pet"), slug("icdar2013 | scut-foru | cocotextv2")
    ('oxford-iiit-pet', 'icdar2013-scut-foru-cocotextv2')
    """
    return re.sub(r"[^a-z0-9.+]+", "-", dataset.lower()).strip("-.")


def hub_page(entry: Row) -> HubPage | None:
    """The parts of a Hub UID; None if the entry is no Hub page.

    Pages up to 1.3 are `<owner>/<hardware>/<release>/<stem>_v<version>[_<dataset>]`, later ones
    `mindspore/<release>/<stem>_<dataset>`.
    """
    parts = str(entry["uid"]).split("/")
    if parts[0] not in ("mindspore", "noah-cvlab"):
        return None
    last = parts[-1]
    dataset = entry.get("dataset")
    if len(parts) == 4:
        match = _OLD_PAGE.fullmatch(last)
        stem = match["stem"] if match else _without_dataset(last, dataset)
        hardware = None if parts[1] == "ascend" else parts[1]
        return HubPage(parts[2], hardware, canonical(stem), dataset)
    return HubPage(parts[1], None, canonical(_without_dataset(last, dataset)), dataset)


def _without_dataset(name: str, dataset: str | None) -> str:
    words = name.split("_")
    for start in range(1, len(words)):
        if dataset and squash("".join(words[start:])) == squash(dataset):
            return "_".join(words[:start])
    # The page's name and its dataset disagree (abbreviated, misspelt): the last word is it.
    return "_".join(words[:-1]) or name


def version_key(release: str) -> tuple[int, ...]:
    """Sorts releases: 1.10 after 1.9."""
    return tuple(int(number) for number in re.findall(r"\d+", release))


def hardware_label(hardware: str | None) -> str | None:
    """What an id says of the hardware: nothing for the first Ascend 910, `910v2` for the second."""
    if hardware in (None, "ascend", "ascend-910"):
        return None
    return canonical(str(hardware).removeprefix("ascend-")).replace("_", "-")


def url_digest(url: str) -> str:
    """What tells two contents apart when neither has a usable hash: 8 digits of the URL's own."""
    return "u" + hashlib.sha256(url.encode()).hexdigest()[:8]
