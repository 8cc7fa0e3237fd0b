"""Questions about shapes and settings, answered while converting where that can be."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from zoohub.graphs.onnx_builder import Dim, Ref, Value
from zoohub.graphs.operators.call import Call, Converter


def same(one: Value, other: Value) -> bool | None:
    """Whether two values are the same; None: only the input can tell."""
    for first, second in ((one, other), (other, one)):
        if isinstance(first, Dim):  # a size is not negative
            if isinstance(second, Dim):
                return True if first.name == second.name else None
            return False if not isinstance(second, int) or second < 0 else None
        if isinstance(first, Ref):
            return None
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        answers = [same(first, second) for first, second in zip(one, other, strict=True)]
        return False if False in answers else None if None in answers else True
    return bool(one == other)


def _answer(c: Call, answer: bool | None) -> bool:
    if answer is None:
        raise c.unsupported(
            "a size that only the input tells: keep that axis closed, or write mindir"
        )
    return answer


def _contains(c: Call) -> Value:
    answers = [same(c.operands[0], item) for item in c.operands[1]]
    return _answer(c, True if True in answers else None if None in answers else False)


def _identical(negated: bool) -> Converter:
    def convert(c: Call) -> Value:
        one, other = c.operands[:2]
        if None in (one, other):
            answer: bool | None = one is other
        else:
            answer = same(one, other)
        return _answer(c, answer) != negated

    return convert


def _ordered(compare: Callable[[int, int], bool]) -> Converter:
    def convert(c: Call) -> Value:
        one, other = c.operands[:2]
        known = all(isinstance(value, int | float) for value in (one, other))
        return _answer(c, bool(compare(one, other)) if known else None)

    return convert


def _equal(negated: bool) -> Converter:
    return lambda c: _answer(c, same(*c.operands[:2])) != negated


QUESTIONS: Mapping[str, Converter] = {
    "InSequence": _contains,
    "is_": _identical(False),
    "is_not": _identical(True),
    "tuple_equal": _equal(False),
    "ScalarEq": _equal(False),
    "scalar_eq": _equal(False),
    "scalar_ne": _equal(True),
    "ScalarLt": _ordered(operator.lt),
    "scalar_lt": _ordered(operator.lt),
    "ScalarLe": _ordered(operator.le),
    "scalar_le": _ordered(operator.le),
    "ScalarGt": _ordered(operator.gt),
    "scalar_gt": _ordered(operator.gt),
    "ScalarGe": _ordered(operator.ge),
    "scalar_ge": _ordered(operator.ge),
    "BoolNot": lambda c: not c.operands[0],
    "bool_not": lambda c: not c.operands[0],
    "ScalarBool": lambda c: bool(c.operands[0]),
    "sequence_len": lambda c: len(c.operands[0]),
    "SequenceLen": lambda c: len(c.operands[0]),
}
