"""The answer as text: what the tokens after a prompt add to it, up to where it is to stop."""

from __future__ import annotations

from collections.abc import Sequence

from zoohub.inputs.text.subwords import SubWords

HALF = "\ufffd"  # what stands for bytes that are no character yet


def spelt(words: SubWords, prompt: Sequence[int], tokens: Sequence[int]) -> str:
    """What the tokens add to the prompt's text: the blank before its first word belongs to it."""
    before, whole = words.decode(prompt), words.decode([*prompt, *tokens])
    if whole.startswith(before):
        return whole[len(before) :]
    return words.decode(tokens)  # the prompt ends within a character


def cut(text: str, stops: Sequence[str]) -> tuple[str, bool]:
    """What stands before the first of `stops`, and whether one is there.

    >>> cut("a. b, c", [", ", "."])
    ('a', True)
    """
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    return (text[: min(places)], True) if places else (text, False)


def settled(text: str, stops: Sequence[str]) -> str:
    r"""As much of a text that goes on as later tokens leave as it is: no half character, and
    nothing that a stop may begin with.

    >>> settled("one\n", ["\n\n"]), settled("caf\ufffd", [])
    ('one', 'caf')
    """
    text = text.rstrip(HALF)
    held = (
        size
        for stop in stops
        for size in range(min(len(stop) - 1, len(text)), 0, -1)
        if text.endswith(stop[:size])
    )
    return text[: len(text) - max(held, default=0)]
