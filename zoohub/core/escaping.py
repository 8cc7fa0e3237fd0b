"""Words of strangers, made fit to be shown: the one place that does so.

Names of files, models, classes and parameters, HTTP reason phrases, descriptions: a control
character in one of them would act on the terminal, and one that turns the direction of writing
would show something else than is there.
"""

from __future__ import annotations

import unicodedata

# Blanks of other scripts are no letters to `isprintable`, but harmless.
_HARMLESS = frozenset("\xa0\u3000\u200d")


def shown(text: str) -> str:
    r"""The text on one line, with everything that is not a visible character written out.

    >>> shown("a\x1b[2Jb\u202ec\nd"), shown("人脸 é 😀")
    ('a\\x1b[2Jb\\u202ec\\nd', '人脸 é 😀')
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _HARMLESS else repr(c)[1:-1] for c in text)


def brief(text: str, most: int = 200) -> str:
    """A text of at most `most` characters: of a longer one, its beginning and its end.

    >>> brief("a" * 5 + "b" * 5, 5)
    'aa…bb'
    """
    half = (most - 1) // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: two for each of a Chinese one."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
