"""Checks of the values that public functions take: each argument's name has one rule everywhere."""

from __future__ import annotations

import difflib
import functools
import inspect
import math
import operator
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ParamSpec, TypeVar

from zoohub.errors import UsageError

P = ParamSpec("P")
R = TypeVar("R")
Rule = Callable[[object], str | None]
"""What is wanted instead of a value; None where the value is right."""
LARGEST = 2**63 - 1
"""The largest whole number: of those beyond, C, NumPy and MindSpore hold none."""


def flag(value: object) -> str | None:
    """True or False: the text "False" would count as true."""
    # numpy's own is called bool_, or bool in numpy 2
    return None if type(value).__name__ in ("bool", "bool_") else "True or False is needed"


def text(value: object) -> str | None:
    """A text of at least one character."""
    return None if isinstance(value, str) and value else "a text is needed"


def path(value: object) -> str | None:
    """A text or a `Path`; where it leads is `local_path`'s."""
    usable = isinstance(value, str | os.PathLike) and os.fspath(value)
    return None if usable else "the path of a file or folder is needed"


def whole(low: int | None = None) -> Rule:
    """A whole number, from `low` on where there is one; numpy's count, True and False do not."""
    wanted = "a whole number is needed" if low is None else f"a whole number from {low} is needed"

    def check(value: object) -> str | None:
        try:
            number = None if flag(value) is None else operator.index(value)  # type: ignore[arg-type]
        except TypeError:
            number = None
        if number is not None and abs(number) > LARGEST:
            return f"a number up to {LARGEST} is needed"
        return None if number is not None and (low is None or number >= low) else wanted

    return check


def number(low: float, high: float = math.inf, *, wanted: str) -> Rule:
    """A number from `low` to `high` that is finite."""

    def check(value: object) -> str | None:
        try:
            plain = flag(value) is not None and not isinstance(value, str | bytes)
            found = float(value) if plain else math.nan  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            found = math.nan
        return None if math.isfinite(found) and low <= found <= high else wanted

    return check


def _texts(value: object) -> str | None:
    """Several texts; one alone would be taken letter by letter."""
    several = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    right = several and all(isinstance(item, str) for item in value)  # type: ignore[attr-defined]
    return None if right else "a list of texts is needed"


def _text_or_texts(value: object) -> str | None:
    """A text, or several, none of them empty."""
    several = value if isinstance(value, list | tuple) else [value]
    right = several and all(text(item) is None for item in several)
    return None if right else "a text of at least one character is needed, or a list of them"


def _indices(value: object) -> str | None:
    """Several whole numbers from 0."""
    several = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    right = several and all(whole(0)(item) is None for item in value)  # type: ignore[attr-defined]
    return None if right else "a list of whole numbers from 0 is needed"


_FRACTION = number(0, 1, wanted="a number from 0 to 1 is needed")

RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("pretrained", "ema", "features_only", "strict", "verify", "progress"), flag),
    **dict.fromkeys(("offline", "runnable", "force", "resume"), flag),
    **dict.fromkeys(("check", "decode", "nms", "fold_bn", "multi_label"), flag),
    **dict.fromkeys(("text", "pattern", "task", "dataset", "source", "format", "mindspore"), text),
    **dict.fromkeys(("parameters", "dtype", "device", "mode", "names", "quantize", "master"), text),
    **dict.fromkeys(("save", "output", "calibrate", "vocab"), path),
    **dict.fromkeys(("top", "batch_size", "limit", "num_classes", "in_channels"), whole(1)),
    **dict.fromkeys(("batch", "length", "max_detections", "max_det", "epochs"), whole(1)),
    **dict.fromkeys(("max_new_tokens", "top_k"), whole(1)),
    # Fewer than one of these is refused where it is known what is meant.
    **dict.fromkeys(("workers", "nodes", "seed", "node_rank"), whole()),
    "assignments": _texts,
    "out_indices": _indices,
    **dict.fromkeys(("threshold", "iou", "top_p"), _FRACTION),
    "temperature": number(0, wanted="a number from 0 is needed"),
    "stop": _text_or_texts,
    **dict.fromkeys(("lr", "save_seconds"), number(0, wanted="a number above 0 is needed")),
}


def check_values(given: Mapping[str, object], none_allowed: bool = True) -> None:
    """Hold values to the rules of their names; names without a rule are left alone.

    Raises:
        UsageError: naming the argument, the value and what is wanted.
    """
    for name, value in given.items():
        rule = RULES.get(name)
        if rule is None or (value is None and none_allowed):
            continue
        wanted = rule(value)
        if wanted and name == "pretrained" and os.path.splitext(str(value))[1]:  # noqa: PTH122
            wanted += f"; your own weights go to checkpoint={value!r}"
        if wanted:
            raise UsageError(f"{name}={_shown(value)}: {wanted}")


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Hold the arguments of a public function to their rules, before it does anything.

    None is right only where it is the default. An argument that the function does not have, or
    one too few, is a `UsageError` as well.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def checking(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            raise UsageError(f"{function.__name__}: {_misbound(error, signature)}") from None
        for name, value in given.items():
            parameter = signature.parameters[name]
            if parameter.kind is parameter.VAR_KEYWORD:
                continue
            check_values({name: value}, none_allowed=parameter.default is None)
        return function(*args, **kwargs)

    return checking


def unknown(name: str, known: Iterable[str], what: str = "argument") -> str:
    """`there is no argument 'topp'; did you mean top?`"""
    words = list(known)
    near = difflib.get_close_matches(name, words, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(words)}"
    return f"there is no {what} {name!r}; {hint}"


def _misbound(error: TypeError, signature: inspect.Signature) -> str:
    """Python's complaint in our words."""
    said = str(error)
    if "unexpected keyword argument" in said:
        return unknown(said.split("'")[1], list(signature.parameters))
    return said


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
