"""What the libraries that cut text refuse, as this package says it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from zoohub.core.escaping import brief
from zoohub.errors import DataError


@contextmanager
def refusals(said: str) -> Iterator[None]:
    """Raises DataError, which begins with `said`, for what `tokenizers` raises: it has no class of
    its own, and where its Rust panics that is no Exception, so that it would pass for an exit."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"{said}: {brief(str(error))}") from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise DataError(f"{said}: {brief(str(error))}") from None


def whole(text: str) -> str:
    """The text. Raises DataError: it has half a character (a lone surrogate), which no vocabulary
    has."""
    try:
        text.encode()
    except UnicodeEncodeError as problem:
        raise DataError(
            f"{text!r:.60} is no text: character {problem.start + 1} is half a character; save it "
            "as UTF-8"
        ) from None
    return text
