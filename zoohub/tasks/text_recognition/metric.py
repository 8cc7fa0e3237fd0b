"""How well texts are read: words that are right, and how near the others come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoohub.errors import DataError
from zoohub.outputs import Form
from zoohub.tasks.contract import Figures, Metric, Row
from zoohub.tasks.text_recognition.decoding import read_texts
from zoohub.tasks.text_recognition.dictionary import is_special
from zoohub.tasks.text_recognition.interpret import class_names_for, scores_of

if TYPE_CHECKING:
    from zoohub.tasks.text_recognition.labels import Word


class TextAccuracy(Metric):
    """`acc`: the share of texts that are right as MindOCR counts (both in lower case and without
    spaces, the label without characters that the network does not know); `norm_edit_distance`:
    1 minus the mean of these texts' edit distances, each over the longer one's length; `exact`:
    the share that is right to the letter."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.known = {name.lower() for name in names if not is_special(name)}
        self.count = self.right = self.exact = 0
        self.nearness = 0.0

    def add(self, form: Form, rows: Sequence[Row], targets: Sequence[Word]) -> None:
        """See `Metric`."""
        scores = scores_of(form)
        found = read_texts(scores, class_names_for(scores, rows, self.names))
        for (text, _), target in zip(found, targets, strict=True):
            self.compare(text, target.text)

    def compare(self, found: str, label: str) -> None:
        """Count one text."""
        short = found.replace(" ", "").lower()
        wanted = "".join(c for c in label.replace(" ", "").lower() if c in self.known)
        self.count += 1
        self.exact += found == label
        self.right += short == wanted
        longest = max(len(short), len(wanted), 1)
        self.nearness += 1 - edit_distance(short, wanted) / longest

    def figures(self) -> Figures:
        """`{count, acc, exact, norm_edit_distance, per_class}`; there are no classes."""
        if not self.count:
            raise DataError("there is no text to measure")
        return {
            "count": self.count,
            "acc": self.right / self.count,
            "norm_edit_distance": self.nearness / self.count,
            "exact": self.exact / self.count,
            "per_class": {},
        }


def edit_distance(one: str, other: str) -> int:
    """The fewest characters to put in, take out or change (Levenshtein 1966).

    >>> edit_distance("kitten", "sitting")
    3
    """
    row = list(range(len(other) + 1))
    for number, mine in enumerate(one, 1):
        last, row[0] = row[0], number
        for place, theirs in enumerate(other, 1):
            changed = last + (mine != theirs)
            last = row[place]
            row[place] = min(changed, last + 1, row[place - 1] + 1)
    return row[-1]
