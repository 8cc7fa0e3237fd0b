"""Published files of text networks: what stands in them, by their publishers' names, finds its
place in the network that the index says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mindspore
import numpy as np
import pytest
from cases import published_tables
from mindspore import Tensor
from references import mode_set
from weights_rule import Table, flatten, rule_value

from zoohub.manifest.opening import open_index
from zoohub.networks.loading import build, create_network
from zoohub.networks.options import NetworkOptions
from zoohub.settings import load_settings

SMALL = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 128,
}
# Those of a table that another file's sizes do not tell.
NEZHA = {"vocab_size": 500, **SMALL, "max_position_embeddings": 64}
XLM = {"vocab_size": 500, "emb_dim": 64, "n_layers": 2, "n_heads": 4}

PUBLISHED = [
    ("bert_base_uncased@mindnlp", "mindnlp/bert_small_pretraining", {"vocab_size": 500, **SMALL}),
    ("bert_for_senta@mindnlp", "mindnlp/bert_small_classifier", SMALL),
    ("nezha_cn_base@mindnlp", "mindnlp/nezha_small_pretraining", NEZHA),
    ("roberta_base@mindnlp", "mindnlp/roberta_small_mlm", SMALL),
    ("roberta_large_mnli@mindnlp", "mindnlp/roberta_small_classifier", SMALL),
    ("uie_base@mindnlp", "mindnlp/uie_small", SMALL),
    ("xlm_mlm_en_2048@mindnlp", "mindnlp/xlm_small_lm", XLM),
    ("xlm_clm_ende_1024@mindnlp", "mindnlp/xlm_small_causal_lm", XLM),
    ("ernie@r1.10-xnli", "models_nlp/ernie_cls_xnli_trained_form", SMALL),
]


def spec_of(reference: str) -> Any:
    spec = open_index(load_settings()).resolve(reference).checkpoint.network
    assert spec is not None
    return spec


def value_of(name: str, shape: list[int], dtype: str = "Float32") -> Tensor:
    if dtype == "Int64":
        return Tensor(np.arange(shape[-1]).reshape(shape))
    return Tensor(rule_value(name, tuple(shape)))


def write(path: Path, table: Table) -> Path:
    rows = [{"name": n, "data": value_of(n, shape, dtype)} for n, shape, dtype, _ in table]
    mindspore.save_checkpoint(rows, str(path))
    return path


@pytest.mark.parametrize(("reference", "table", "sizes"), PUBLISHED, ids=lambda x: str(x)[:30])
def test_a_published_table_loads_whole_into_the_network_of_its_index_entry(
    reference: str, table: str, sizes: dict[str, int], tmp_path: Path, shared: Path
) -> None:
    source, _, model = table.partition("/")
    rows = published_tables(shared / "oracle" / "params", source)[model]
    file = write(tmp_path / "published.ckpt", rows)
    _, report = create_network(spec_of(reference), file, NetworkOptions(), **sizes)
    assert report is not None
    assert report.complete
    assert not report.left_out
    assert len(report.loaded) == len(rows)


def own_table(reference: str, **sizes: Any) -> Table:
    net = build(spec_of(reference), **sizes)
    return [[p.name, list(p.shape), "Float32", True] for p in net.get_parameters()]


def behind_the_loss(name: str) -> str:
    return f"bert.{name}"


def of_a_chain(name: str) -> str:
    return "loss.transitions" if name == "transitions" else f"bert.{name}"


def of_the_first_release(name: str) -> str:
    name = name.replace("postprocessor.token_type_embedding.", "postprocessor.")
    name = name.replace("full_position_embedding.embedding_table", "full_position_embeddings")
    return f"bert.{name.replace('.embeddings_table', '.embeddings_for_position')}"


def of_senta(name: str) -> str:
    return of_the_first_release(name.replace("dense_1.", "dense."))


def distilled(name: str) -> str:
    return f"bert.{name.replace('tinybert', 'bert')}"


@pytest.mark.parametrize(
    ("reference", "renamed"),
    [
        ("bert_base@r1.10-cnnews128", behind_the_loss),
        ("bert_base@r1.0-cn-wiki", of_the_first_release),
        ("bert_nezha@r1.0-cn-wiki", of_the_first_release),
        ("bertfinetune_15classifier@r1.10-tnews", behind_the_loss),
        ("bertfinetune_ner@r1.10-cluener", behind_the_loss),
        ("bertfinetune_squad@r1.10-squad1.1", behind_the_loss),
        ("bertfinetune_crf@r1.10-cluener", of_a_chain),
        ("bertfinetune_bilstmcrf@r1.10-chinesener", of_a_chain),
        ("albert@r1.10-sst2", lambda name: f"albert.{name}"),
        ("tinybert@r1.10-enwiki128-sst2", distilled),
        ("senta@r1.10-sst-2", of_senta),
        ("tinybert@r1.1-zh-wiki", of_the_first_release),
    ],
    ids=lambda x: x if isinstance(x, str) else x.__name__.strip("<>"),
)
def test_a_file_saved_in_training_loads_with_the_optimizers_state_left_out(
    reference: str, renamed: Callable[[str], str], tmp_path: Path
) -> None:
    table = own_table(reference, **SMALL, vocab_size=50, max_position_embeddings=16)
    rows = [[renamed(name), *row] for name, *row in table]
    state = [[f"{slot}.{name}", *row] for slot in ("moment1", "moment2") for name, *row in rows]
    file = write(tmp_path / "trained.ckpt", [*rows, *state])
    # What words, kinds, places and classes there are is read off the file.
    extra = {"max_position_embeddings": 16} if reference.startswith("albert") else {}
    net, report = create_network(spec_of(reference), file, NetworkOptions(), **SMALL, **extra)
    assert report is not None
    assert report.complete
    assert len(report.loaded) == len(table)
    values = {p.name: p.asnumpy() for p in net.get_parameters()}
    for (name, shape, *_), (published, *_) in zip(table, rows, strict=True):
        np.testing.assert_array_equal(values[name], rule_value(published, tuple(shape)))


def test_a_pupils_file_may_hold_its_teacher(tmp_path: Path) -> None:
    reference = "tinybert@r1.10-enwiki128-sst2"
    table = own_table(reference, **SMALL, vocab_size=50)
    rows = [[distilled(name), *row] for name, *row in table]
    teacher = [[name.replace("bert.", "teacher.", 1), *row] for name, *row in rows]
    fit = [["fit_dense.weight", [96, 64], "Float32", True]]
    file = write(tmp_path / "distilled.ckpt", [*rows, *teacher, *fit])
    _, report = create_network(spec_of(reference), file, NetworkOptions(), **SMALL)
    assert report is not None
    assert report.complete
    assert len(report.loaded) == len(table)
    assert len(report.left_out) == len(teacher) + len(fit)


def test_another_number_of_classes_replaces_the_classifier_alone(tmp_path: Path) -> None:
    reference = "bertfinetune_15classifier@r1.10-tnews"
    table = own_table(reference, **SMALL, vocab_size=50, num_labels=15)
    file = write(tmp_path / "classes.ckpt", [[behind_the_loss(n), *row] for n, *row in table])
    net, report = create_network(spec_of(reference), file, NetworkOptions(num_classes=4), **SMALL)
    assert net.dense_1.weight.shape == (4, 64)
    assert report is not None
    assert set(report.replaced) == {"dense_1.weight", "dense_1.bias"}


@pytest.mark.parametrize(
    ("reference", "said", "first"),
    [
        ("lstm@r1.10-aclimdb-v1", {}, "encoder.weight_ih_l0"),
        ("lstm@r1.7-aclimdbv1", {"hidden": 6}, "encoder.w_fw_layer0"),
        ("lstm_crf@r1.10-conll2000", {}, "lstm.lstm.weight_ih_l0"),
    ],
)
def test_a_recurrent_networks_sizes_are_read_off_its_file(
    reference: str, said: dict[str, int], first: str, tmp_path: Path
) -> None:
    table = own_table(reference, vocab_size=20, embed_dim=8, hidden=6)
    assert first in [name for name, *_ in table]
    file = write(tmp_path / "trained.ckpt", table)
    net, report = create_network(spec_of(reference), file, NetworkOptions(), **said)
    assert report is not None
    assert report.complete
    assert [list(p.shape) for p in net.get_parameters()] == [shape for _, shape, *_ in table]
    ids = Tensor(np.arange(10, dtype=np.int32).reshape(2, 5))
    with mode_set("graph"):
        scores, *_ = flatten(net.set_train(False)(ids))
    assert np.isfinite(scores).all()


def test_a_tagger_has_a_texts_start_and_end_besides_the_tags_that_are_asked_for() -> None:
    spec = spec_of("lstm_crf")
    small = {"vocab_size": 20, "embed_dim": 8, "hidden": 6}
    net, _ = create_network(spec, None, NetworkOptions(num_classes=5), **small)
    assert net.transitions.shape == (7, 7)
    assert net.lstm.fc.weight.shape == (7, 12)


@pytest.mark.parametrize("reference", ["gpt@r1.2-openweb", "gpt3@r1.5-openweb"])
@pytest.mark.parametrize("kind", ["weight", "mapping_weight"])
def test_gpts_first_files_load_by_either_of_their_names(
    reference: str, kind: str, tmp_path: Path
) -> None:
    def first(name: str) -> str:
        name = name.replace("backbone.embedding.", "backbone.")
        turned = re.fullmatch(r"(.+\.(?:mapping|projection)\.)(weight|bias)", name)
        return name if turned is None else turned[1] + kind.replace("weight", turned[2])

    small = {"embed_dim": 32, "depth": 2}
    table = own_table(reference, vocab_size=20, longest=8, **small)
    rows = [[first(name), *row] for name, *row in table]
    file = write(tmp_path / "gpt.ckpt", rows)
    net, report = create_network(spec_of(reference), file, NetworkOptions(), **small)
    assert report is not None
    assert report.complete
    values = {p.name: p.asnumpy() for p in net.get_parameters()}
    for (name, shape, *_), (published, *_) in zip(table, rows, strict=True):
        np.testing.assert_array_equal(values[name], rule_value(published, tuple(shape)))
