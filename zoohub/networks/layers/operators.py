"""MindSpore's operators, made once.

Making one takes up to 0.1 ms, as long as making a cell and its parameters; a network has hundreds
of cells with the same few. An operator holds its arguments and nothing else, so cells can share it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from mindspore import ops


@lru_cache(maxsize=4096, typed=True)
def shared(operator: type[ops.Primitive], **arguments: Any) -> ops.Primitive:
    """The `operator` of these arguments, the same object each time.

    Raises:
        TypeError, ValueError: arguments that the operator refuses.
    """
    return operator(**arguments)
