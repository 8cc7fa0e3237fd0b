"""What DAM takes: a dialogue so far, and what may be said next."""

from __future__ import annotations

from zoohub.networks.family import Arguments, Taken


def taken(arguments: Arguments) -> tuple[Taken, ...]:
    """Ids of words, filled up, and how many of them count."""

    def known(name: str, otherwise: int) -> int:
        return int(str(arguments.get(name, otherwise)))

    turns, words = known("turns", 9), known("words", 50)
    below = known("vocab_size", 2)
    return (
        Taken("turns", ("batch", turns, words), below=below),
        Taken("turn_lengths", ("batch", turns), below=words + 1),
        Taken("response", ("batch", words), below=below),
        Taken("response_lengths", ("batch",), below=words + 1),
    )
