"""What LUKE takes: words, and the entities among them."""

from __future__ import annotations

from zoohub.networks.family import Arguments, Taken

_PLACES = 30  # words of the longest entity, as the publisher's data have it


def taken(arguments: Arguments) -> tuple[Taken, ...]:
    """As many entities as words, filled up, since half of what is attended to are words'."""
    each, kinds = ("batch", "length"), int(str(arguments.get("type_vocab_size", 1)))
    return (
        Taken("word_ids", each),
        Taken("word_segment_ids", each, below=min(kinds, 2)),
        Taken("word_attention_mask", each),
        Taken("entity_ids", each),
        Taken("entity_position_ids", (*each, _PLACES)),
        Taken("entity_segment_ids", each, below=min(kinds, 2)),
        Taken("entity_attention_mask", each),
    )
