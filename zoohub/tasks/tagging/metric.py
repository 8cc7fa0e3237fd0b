"""How right a tagger is: precision, recall and F1 of what it names, as CoNLL counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np

from zoohub.errors import DataError
from zoohub.outputs import Form
from zoohub.tasks.contract import Figures, Metric, Row, check_count
from zoohub.tasks.tagging.conll import Tags
from zoohub.tasks.tagging.entities import entities
from zoohub.tasks.tagging.interpret import log_softmax, scores_in, word_tags, words_of
from zoohub.tasks.tagging.viterbi import chain_loss

Counts: TypeAlias = dict[str, Counter[str]]  # by what is counted, of each kind
Found: TypeAlias = "tuple[str, int] | tuple[str, int, int]"  # a kind, and where it is

_OUTSIDE = "O"


class EntityScores(Metric):
    """An entity is found where its type and both its ends are right; words that were cut off with
    a long text count as `O`."""

    def __init__(self, classes: tuple[str, ...]) -> None:
        self.classes = classes
        self.texts = self.words = 0
        self.losses = 0.0
        self.counts: Counts = {key: Counter() for key in ("hit", "said", "true")}
        self.tags: Counts = {key: Counter() for key in ("hit", "said", "true")}

    def add(self, form: Form, rows: Sequence[Row], targets: Sequence[Tags]) -> None:
        """See `Metric`."""
        scores = scores_in(form)
        check_count(scores.classes, self.classes)
        for place, (row, target) in enumerate(zip(rows, targets, strict=True)):
            words = words_of(row)
            found, _ = word_tags(scores, place, words)
            said = [self.classes[tag] for tag in found]
            said += [_OUTSIDE] * (len(target) - len(said))
            true = [self.classes[tag] for tag in target]
            _count(self.tags, _numbered(said), _numbered(true))
            _count(self.counts, entities(said), entities(true))
            self.texts += 1
            self.words += len(found)
            own = scores.logits[place, : len(words.ids)]
            if scores.after is not None:
                right = dict(zip(words.firsts, target, strict=False))
                self.losses += chain_loss(own, scores.after, right)
            else:
                logp = log_softmax(own[list(words.firsts)])
                self.losses -= float(logp[np.arange(len(found)), list(target[: len(found)])].sum())

    def figures(self) -> Figures:
        """`{count, words, f1, precision, recall, loss, per_class: {tag: F1 of words or None},
        types: {type: F1 or None}}`: over all entities; `loss` is in nats a word, with a conditional
        random field that of whole texts."""
        if not self.texts:
            raise DataError("there is no text to measure")
        hit, said, true = (sum(self.counts[key].values()) for key in ("hit", "said", "true"))
        types = sorted(self.counts["true"] | self.counts["said"])
        return {
            "count": self.texts,
            "words": self.words,
            "f1": _f1(hit, said, true) or 0.0,
            "precision": hit / said if said else 0.0,
            "recall": hit / true if true else 0.0,
            "loss": self.losses / max(1, self.words),
            "per_class": {tag: _f1_of(self.tags, tag) for tag in self.classes},
            "types": {kind: _f1_of(self.counts, kind) for kind in types},
        }


def _count(counts: Counts, said: Iterable[Found], true: Iterable[Found]) -> None:
    found, wanted = set(said), set(true)
    for key, these in (("hit", found & wanted), ("said", found), ("true", wanted)):
        counts[key].update(kind for kind, *_ in these)


def _numbered(tags: Sequence[str]) -> Iterable[Found]:
    """Each tag with its word's place."""
    return ((tag, place) for place, tag in enumerate(tags))


def _f1_of(counts: Counts, key: str) -> float | None:
    return _f1(counts["hit"][key], counts["said"][key], counts["true"][key])


def _f1(hit: int, said: int, true: int) -> float | None:
    """The harmonic mean of precision and recall; None where there is nothing."""
    return 2 * hit / (said + true) if said + true else None
