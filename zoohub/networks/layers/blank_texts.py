"""The texts, or tables' tokens, of pictures that were not read yet."""

from __future__ import annotations

from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype


class BlankTexts(nn.Cell):
    """(B, …) -> int32 (B, steps + 1): the class before a text's first character, then as many of
    what stands behind its end as a text may have characters."""

    def __init__(self, steps: int, start: int, end: int) -> None:
        super().__init__(auto_prefix=False)
        self.text = Tensor([[start, *(steps * (end,))]], mstype.int32)

    def construct(self, x: Tensor) -> Tensor:
        return ops.tile(self.text, (x.shape[0], 1))
