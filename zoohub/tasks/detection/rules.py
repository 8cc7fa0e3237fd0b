"""How boxes are chosen from candidates: what was asked for, else what the publisher's evaluation
does, else what mindyolo's scripts do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from zoohub.manifest.entry import BoxContract, Suppression
from zoohub.outputs.boxes import SoftSuppression

T = TypeVar("T")

CONFIDENCE = 0.25  # mindyolo's threshold for pictures
MEASURED = 0.001  # and that of its evaluation
IOU = 0.65  # mindyolo's for both
MAX_DETECTIONS = 300

# What CenterNet's evaluation weakens boxes by, and those of all who took it over.
SOFT = SoftSuppression(sigma=0.5, least=0.001)


@dataclass(frozen=True, slots=True)
class BoxRules:
    """`BoxContract` with every value settled.

    Candidates score above `confidence`, and what is left of them once others have weakened them
    above `left` (None: the same).
    """

    confidence: float = CONFIDENCE
    class_confidence: float = 0.0
    multi_label: bool = False
    suppression: Suppression = "iou"
    iou: float = IOU
    inclusive: Literal["input", "picture"] | None = None
    most_of_class: int | None = None
    most: int = MAX_DETECTIONS
    left: float | None = None

    @property
    def least(self) -> float:
        """What the boxes that stay score above."""
        return self.confidence if self.left is None else self.left

    @property
    def soft(self) -> bool:
        """Whether boxes are weakened, not removed."""
        return self.suppression in ("soft", "soft_in_order")


def shown_rules(
    contract: BoxContract,
    *,
    threshold: float | None = None,
    iou: float | None = None,
    multi_label: bool | None = None,
    most: int | None = None,
) -> BoxRules:
    """The boxes that `predict` shows; what is given wins over the contract.

    An `iou` asks for boxes to be removed, also where the contract weakens them.
    """
    return _rules(
        contract,
        _first(threshold, contract.threshold, CONFIDENCE),
        iou=iou,
        multi_label=_first(multi_label, contract.multi_label, False),
        most=most,
    )


def measured_rules(contract: BoxContract) -> BoxRules:
    """The boxes that `eval` counts, however weak others made them."""
    rules = _rules(
        contract,
        _first(contract.eval_threshold, MEASURED),
        multi_label=_first(contract.multi_label, True),
    )
    return replace(rules, left=SOFT.least) if rules.soft else rules


def _rules(
    contract: BoxContract,
    confidence: float,
    *,
    multi_label: bool,
    iou: float | None = None,
    most: int | None = None,
) -> BoxRules:
    suppression: Suppression = contract.suppression or "iou"
    if iou is not None and suppression != "diou":
        suppression = "iou"
    return BoxRules(
        confidence=confidence,
        class_confidence=_first(contract.class_threshold, 0.0),
        multi_label=multi_label,
        suppression=suppression,
        iou=_first(iou, contract.iou, IOU),
        inclusive=contract.inclusive,
        most_of_class=contract.most_of_class,
        most=_first(most, contract.most, MAX_DETECTIONS),
    )


def _first(*values: T | None) -> T:
    """The first that is known; the last always is."""
    return next(value for value in values if value is not None)
