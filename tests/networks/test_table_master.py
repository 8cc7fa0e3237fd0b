"""TableMaster read token by token is TableMaster read at once."""

from __future__ import annotations

import numpy as np
from mindspore import Tensor
from numpy.typing import NDArray

from zoohub.networks.table_master.head import Head
from zoohub.networks.table_master.parts import NextToken

CHANNELS, CLASSES, STEPS, ROOM = 16, 9, 6, 8


def drawn_head(stacks: int) -> Head:
    """A small head whose values are drawn so that it reads several kinds of tokens, no padding."""
    head = Head(CHANNELS, CLASSES, STEPS, stacks, 12)
    random = np.random.default_rng(0)
    for parameter in head.get_parameters():
        values = random.standard_normal(parameter.shape).astype(np.float32)
        parameter.set_data(Tensor(values))
    head.set_train(False)
    return head


def step_by_step(
    head: Head, maps: Tensor, given: NDArray[np.int32]
) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """The probabilities and boxes after each of the tokens `given` (B, steps)."""
    import mindspore

    following = NextToken(head)
    seen = mindspore.ops.stack(head.remember(maps), 1)
    past = np.full((len(given), head.cache[0], head.cache[1], ROOM, head.cache[2]), 50, np.float32)
    found = []
    for step, ids in enumerate(given.T):
        counts = np.full(len(given), step, np.int32)
        arrays = (Tensor(ids[:, None]), Tensor(counts), Tensor(past), seen)
        probabilities, box, memory = (one.asnumpy() for one in following(*arrays))
        past[:, :, :, step] = memory[:, :, :, 0]
        found.append((probabilities, box))
    return found


def test_each_step_gives_what_reading_all_tokens_again_gives() -> None:
    for stacks in (1, 2):
        head = drawn_head(stacks)
        maps = Tensor(np.random.default_rng(1).standard_normal((2, CHANNELS, 3, 4)).astype("f"))
        whole, boxes = (one.asnumpy() for one in head(maps))
        chosen = whole.argmax(-1)[:, :-1].astype(np.int32)
        assert CLASSES - 1 not in chosen  # padding, behind which they differ
        assert len(np.unique(chosen)) > 1
        given = np.concatenate([np.full((2, 1), CLASSES - 3, np.int32), chosen], 1)
        for step, (probabilities, box) in enumerate(step_by_step(head, maps, given)):
            np.testing.assert_allclose(probabilities, whole[:, step], atol=1e-5)
            np.testing.assert_allclose(box, boxes[:, step], atol=1e-5)


def test_padding_sees_all_tokens_alike_and_no_room_that_is_left() -> None:
    head = drawn_head(1)
    maps = Tensor(np.random.default_rng(1).standard_normal((1, CHANNELS, 2, 2)).astype("f"))
    given = np.array([[CLASSES - 3, 2, CLASSES - 1]], np.int32)
    (_, _, (probabilities, box)) = step_by_step(head, maps, given)
    seen = head.remember(maps)
    x, bias = head.decoded(Tensor(given), 3, seen)
    wanted, boxes, _ = head.given(x, seen, bias)
    np.testing.assert_allclose(probabilities, wanted.asnumpy()[:, 2], atol=1e-5)
    np.testing.assert_allclose(box, boxes.asnumpy()[:, 2], atol=1e-5)
