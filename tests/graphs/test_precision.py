"""What becomes float16 has room in it."""

from __future__ import annotations

import mindspore as ms
import pytest

from zoohub.errors import ExportError
from zoohub.graphs.precision import check_halvable


def test_only_what_becomes_float16_needs_room_in_it() -> None:
    with pytest.raises(ExportError, match="large has the value 70000, and float16 has room"):
        check_halvable(ms.Parameter(ms.Tensor([70_000], ms.float32), name="large"))
    check_halvable(ms.Parameter(ms.Tensor([70_000], ms.int32), name="places"))
