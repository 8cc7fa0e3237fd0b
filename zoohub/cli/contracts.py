"""What a network takes and how its results are chosen, in words, for `zoohub info`."""

from __future__ import annotations

from zoohub.core.counting import counted
from zoohub.manifest.entry import BoxContract, InputContract, RegionContract, TextContract

_SUPPRESSION = {
    "iou": "the weaker goes",
    "diou": "the weaker and nearer goes",
    "soft": "the weaker is made weaker",
    "soft_in_order": "the weaker is made weaker, in order",
}


def input_line(contract: InputContract | None) -> str | None:
    """How a picture or a text becomes the network's input; None where nobody says."""
    if contract is not None and contract.text is not None:
        return _text_line(contract.text)
    if contract is None or contract.size is None:
        return None
    height, width = contract.size
    parts = [f"{height}×{width} {contract.colour} {contract.layout}", contract.value_range]
    if contract.mean is not None and contract.std is not None:
        mean = ", ".join(f"{v:g}" for v in contract.mean)
        std = ", ".join(f"{v:g}" for v in contract.std)
        parts.append(f"mean ({mean}) std ({std})")
    parts.append(contract.resize)
    if contract.crop is not None:
        parts.append(f"crop {contract.crop:g}")
    if contract.interpolation:
        parts.append(contract.interpolation)
    if contract.provenance:
        parts.append(f"from: {contract.provenance}")
    return ", ".join(parts)


def boxes_line(contract: BoxContract | None) -> str | None:
    """How a detector's boxes are chosen, as far as its publisher differs from the rest."""
    if contract is None:
        return None
    parts = []
    if contract.threshold is not None:
        parts.append(f"scores above {contract.threshold:g}")
    if contract.eval_threshold not in (None, contract.threshold):
        parts.append(f"to be measured above {contract.eval_threshold:g}")
    if contract.class_threshold is not None:
        parts.append(f"its class alone above {contract.class_threshold:g}")
    if contract.multi_label is not None:
        parts.append("each class of a box" if contract.multi_label else "the best class of a box")
    if contract.suppression is not None:
        parts.append(f"{_SUPPRESSION[contract.suppression]} ({contract.suppression})")
    if contract.iou is not None:
        parts.append(f"overlaps up to {contract.iou:g}")
    if contract.inclusive is not None:
        parts.append(f"whole pixels of the {contract.inclusive}")
    if contract.most_of_class is not None:
        parts.append(f"at most {contract.most_of_class} of a class")
    if contract.most is not None:
        parts.append(f"at most {contract.most} in all")
    return ", ".join(parts) or None


def outlines_line(contract: RegionContract | None) -> str | None:
    """How a text detector's maps become outlines."""
    if contract is None:
        return None
    parts = []
    if contract.outline is not None:
        parts.append("quadrilaterals" if contract.outline == "quad" else "polygons")
    if contract.binary is not None:
        parts.append(f"of pixels above {contract.binary:g}")
    if contract.least is not None:
        parts.append(f"scores of at least {contract.least:g}")
    if contract.expand is not None:
        parts.append(f"moved outwards by {contract.expand:g} × area / perimeter")
    return ", ".join(parts) or None


def _text_line(contract: TextContract) -> str:
    """What a network that reads text takes."""
    parts = ["token ids"]
    if contract.vocab_size is not None:
        parts.append(counted(contract.vocab_size, "token"))
    if contract.max_length is not None:
        parts.append(f"at most {contract.max_length} in a sentence")
    if contract.shipped_vocabulary is not None:
        parts.append("its vocabulary comes with zoohub")
    elif contract.vocabulary is not None:
        parts.append(f"vocabulary: {contract.vocabulary}")
    return ", ".join(parts)
