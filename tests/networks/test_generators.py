"""What all language models that write word by word have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mindspore
import numpy as np
import pytest
from mindspore import Tensor
from weights_rule import fill_by_rule

from zoohub.manifest.entry import NetworkSpec
from zoohub.networks.families import find_family
from zoohub.networks.loading import create_network

SMALL = {"vocab_size": 30, "embed_dim": 8, "depth": 2, "num_heads": 2, "longest": 8}
FAMILIES: dict[str, dict[str, Any]] = {
    "bloom": {},
    "glm2": {"kv_heads": 1, "head_dim": 8, "ffn_dim": 12},
    "gpt2": {},
    "gpt2_split": {"kv_heads": 1},
    "iflytekspark": {"ffn_dim": 12},
    "llama": {"ffn_dim": 12},
    "openai_gpt": {},
    "opt": {"word_dim": 4, "ffn_dim": 12},
    "pangu": {},
    "pangualpha": {},
}


def built(name: str) -> Any:
    net = find_family(name).load()(**SMALL, **FAMILIES[name]).set_train(False)
    fill_by_rule(net)
    return net


@pytest.mark.parametrize("name", FAMILIES)
def test_no_token_sees_those_after_it(name: str) -> None:
    net = built(name)
    ids = np.array([[1, 2, 3, 4, 5], [1, 2, 3, 9, 9]], np.int32)
    one, other = net(Tensor(ids)).asnumpy()
    assert one.shape == (5, 30)
    np.testing.assert_allclose(one[:3], other[:3], atol=1e-6)
    assert (np.abs(one[3:] - other[3:]).max(1) > 1e-3).all()


@pytest.mark.parametrize("name", FAMILIES)
def test_the_order_of_what_came_before_matters(name: str) -> None:
    net = built(name)
    one, other = net(Tensor(np.array([[1, 2, 3], [2, 1, 3]], np.int32))).asnumpy()
    assert np.abs(one[2] - other[2]).max() > 1e-4


@pytest.mark.parametrize("name", FAMILIES)
def test_more_tokens_than_there_are_places_for_are_refused(name: str) -> None:
    net = built(name)
    with pytest.raises(ValueError, match=r"9 tokens are more than the 8"):
        net(Tensor(np.zeros((1, 9), np.int32)))


@pytest.mark.parametrize("name", FAMILIES)
def test_heads_that_do_not_divide_are_refused(name: str) -> None:
    arguments = {**SMALL, **FAMILIES[name], "num_heads": 3}
    arguments["kv_heads" if name == "glm2" else "num_heads"] = 2 if name == "glm2" else 3
    with pytest.raises(ValueError, match=r"heads"):
        find_family(name).load()(**arguments)


def test_the_words_own_head_of_a_t5_file_is_left_out_where_it_is_tied(tmp_path: Path) -> None:
    small = {"vocab_size": 30, "embed_dim": 8, "head_dim": 4, "ffn_dim": 12, "num_heads": 2}
    path = tmp_path / "t5.ckpt"
    untied = find_family("t5").load()(**small, depth=1, tied_head=False)
    mindspore.save_checkpoint(untied, str(path))
    spec = NetworkSpec("t5", {**small, "depth": 1}, parameters="tied")
    net, report = create_network(spec, path)
    assert report is not None
    assert report.left_out == ("lm_head.weight",)
    ids, mask = Tensor(np.ones((1, 4), np.int32)), Tensor(np.ones((1, 4), np.float32))
    assert net(ids, Tensor(np.zeros((1, 3), np.int32)), mask).shape == (1, 3, 30)


def test_chatglm_reads_a_text_in_both_directions_and_writes_after_it() -> None:
    small = {"vocab_size": 30, "embed_dim": 16, "depth": 2, "num_heads": 2, "ffn_dim": 12}
    net = find_family("chatglm").load()(**small, longest=8, mask_id=28, start_id=29)
    fill_by_rule(net.set_train(False))
    rows = [[1, 2, 3, 28, 29, 5, 6], [1, 2, 4, 28, 29, 5, 6], [1, 2, 3, 28, 29, 5, 7]]
    one, text, answer = net(Tensor(np.array(rows, np.int32))).asnumpy()
    assert one.shape == (7, 30)
    assert (np.abs(one - text).max(1) > 1e-4).all()
    np.testing.assert_allclose(one[:6], answer[:6], atol=1e-6)
    assert np.abs(one[6] - answer[6]).max() > 1e-3
    with pytest.raises(ValueError, match=r"9 tokens are more than the 8"):
        net(Tensor(np.zeros((1, 9), np.int32)))
    with pytest.raises(ValueError, match=r"18 channels are not 3 heads of a multiple of four"):
        find_family("chatglm").load()(**{**small, "embed_dim": 18, "num_heads": 3})
