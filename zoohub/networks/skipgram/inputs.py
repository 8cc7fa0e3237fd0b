"""What skip-gram takes, without MindSpore."""

from __future__ import annotations

from zoohub.networks.family import Arguments, Taken


def taken(arguments: Arguments) -> tuple[Taken, ...]:
    """A word, one near it, and as many drawn by chance as "length" says."""
    below = arguments.get("vocab_size", 2)
    assert isinstance(below, int)
    return (
        Taken("centers", ("batch",), below=below),
        Taken("near", ("batch",), below=below),
        Taken("others", ("batch", "length"), below=below),
    )
