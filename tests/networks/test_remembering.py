"""What a language model keeps of a text stands for the text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zoohub.networks.families import find_family

pytestmark = pytest.mark.slow

SMALL: dict[str, Any] = {"vocab_size": 30, "embed_dim": 16, "depth": 2, "num_heads": 4}
NETWORKS: list[tuple[str, dict[str, Any]]] = [
    ("bloom", {}),
    ("glm2", {"kv_heads": 2, "head_dim": 8, "ffn_dim": 12}),
    ("gpt2", {}),
    ("gpt2_split", {"kv_heads": 1}),
    ("iflytekspark", {"ffn_dim": 12}),
    ("llama", {"ffn_dim": 12, "kv_heads": 2}),
    ("llama", {"ffn_dim": 12, "positions": "alibi", "head": "normalised"}),
    ("llama", {"ffn_dim": 12, "joint_kv": True, "head": "tied"}),
    ("openai_gpt", {}),
    ("opt", {"word_dim": 8, "ffn_dim": 12}),
    ("opt", {"word_dim": 16, "ffn_dim": 12, "norms_first": True}),
    ("pangu", {}),
    ("pangualpha", {}),
]


@pytest.mark.parametrize(("name", "arguments"), NETWORKS)
def test_logits_after_a_past_are_those_of_the_whole_text(
    name: str, arguments: dict[str, Any]
) -> None:
    """Rows of 9, 4 and 6 tokens, of which 5, 3 and 1 were read before; the room for them is 7."""
    import mindspore
    from mindspore import Tensor

    mindspore.set_context(mode=mindspore.PYNATIVE_MODE)
    mindspore.set_seed(1)
    family = find_family(name)
    net = family.load()(**SMALL, longest=12, **arguments).set_train(False)
    random = np.random.default_rng(1)
    for parameter in net.get_parameters():
        if parameter.dtype == mindspore.float32 and parameter.ndim == 2:
            values = random.standard_normal(parameter.shape).astype(np.float32)
            parameter.set_data(mindspore.Tensor(values))
    parts = family.parts_of(net)
    ids = random.integers(1, 30, (3, 9)).astype(np.int32)
    lengths, before = np.array([9, 4, 6], np.int32), np.array([5, 3, 1], np.int32)
    whole = net(Tensor(ids)).asnumpy()[np.arange(3), lengths - 1]
    read, memory = parts["read"].net(Tensor(ids), Tensor(lengths))
    np.testing.assert_allclose(read.asnumpy(), whole, rtol=1e-4, atol=1e-4)

    past = np.full((*memory.shape[:3], 7, memory.shape[4]), 50, np.float32)
    rest = np.zeros((3, 5), np.int32)
    for row, (count, length) in enumerate(zip(before, lengths, strict=True)):
        past[row, :, :, :count] = memory.asnumpy()[row, :, :, :count]
        rest[row, : length - count] = ids[row, count:length]
    taken = (Tensor(x) for x in (rest, lengths - before, before, past))
    following, new = parts["next"].net(*taken)
    np.testing.assert_allclose(following.asnumpy(), whole, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        new.asnumpy()[0, :, :, :4], memory.asnumpy()[0, :, :, 5:], rtol=1e-4, atol=1e-4
    )
