"""What Senta takes, without MindSpore."""

from __future__ import annotations

from zoohub.networks.family import Arguments, Taken


def taken(arguments: Arguments) -> tuple[Taken, ...]:
    """A text, whose tokens are of one kind where the table has no other."""
    each = ("batch", "length")
    words, kinds = arguments.get("vocab_size", 2), arguments.get("type_vocab_size", 1)
    return (
        Taken("input_ids", each, below=int(str(words))),
        Taken("token_type_ids", each, below=min(int(str(kinds)), 2)),
        Taken("attention_mask", each),
    )
