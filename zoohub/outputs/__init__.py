"""The canonical forms of what networks give, whoever made them. Free of MindSpore.

    runner -- arrays by name --> the family's function --> ClassScores | Boxes | ClassMap ...

A form says its arrays' shapes and refuses others; tasks interpret forms and know no network.
"""

from zoohub.outputs.boxes import Boxes, BoxTable
from zoohub.outputs.class_map import ClassMap
from zoohub.outputs.class_scores import ClassScores
from zoohub.outputs.form import Form, Read, Size
from zoohub.outputs.masked_boxes import MaskedBoxes, MaskedTable

__all__ = [
    "BoxTable",
    "Boxes",
    "ClassMap",
    "ClassScores",
    "Form",
    "MaskedBoxes",
    "MaskedTable",
    "Read",
    "Size",
]
