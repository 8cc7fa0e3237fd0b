"""From the tags of words to what they name, by the rule of CoNLL's own evaluation.

A tag is `O`, or a letter, `-` and a type: `B` begins, `I` (`M`) goes on, `E` (`L`) ends, `S` (`U`)
is one of a single word (Ramshaw and Marcus 1995; Tjong Kim Sang and De Meulder, "Introduction to
the CoNLL-2003 Shared Task", 2003). No order is wrong: an `I-X` behind `O` or another type begins
one too. This is what seqeval counts in its default mode.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

Entity = tuple[str, int, int]  # its type, its first word, and the one behind its last

_OUTSIDE = "O"
_LETTERS = "BIESMLU"
_ENDS, _BEGINS = "ESLU", "BSU"


def entities(tags: Sequence[str]) -> Iterator[Entity]:
    """The entities in a text's tags, in order.

    >>> list(entities(["B-PER", "I-PER", "O", "I-LOC", "B-LOC"]))
    [('PER', 0, 2), ('LOC', 3, 4), ('LOC', 4, 5)]
    """
    begun, kind, last = 0, "", _OUTSIDE
    for place, tag in enumerate((*tags, _OUTSIDE)):
        letter, own = parted(tag)
        if kind and (own != kind or last in _ENDS or letter in _BEGINS):
            yield kind, begun, place
            kind = ""
        if own and not kind:
            begun, kind = place, own
        last = letter


def parted(tag: str) -> tuple[str, str]:
    """The letter and the type of a tag; the type of `O` is empty. A tag without a letter is a type
    that goes on."""
    if tag == _OUTSIDE:
        return _OUTSIDE, ""
    if len(tag) > 2 and tag[0] in _LETTERS and tag[1] in "-_":
        return tag[0], tag[2:]
    return "I", tag
