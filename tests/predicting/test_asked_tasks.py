"""Vectors of a network that was made for something else, by name: its head is left out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import zoohub
from tests.tasks.loading import example_in
from zoohub.cli.main import main
from zoohub.errors import DataError, UsageError
from zoohub.inputs.text import Text
from zoohub.manifest.opening import open_index
from zoohub.networks.families import has_family
from zoohub.predicting.known import known_of
from zoohub.settings import load_settings
from zoohub.tasks.encoders import reads_text
from zoohub.tasks.finding import find_task, task_called, task_for

example = example_in("tagging")
VECTORS = find_task("text-embedding")
INDEX = """
family: tiny
task: natural-language-understanding
network:
  builder: bert
  arguments: {{vocab_size: 14, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2,
    intermediate_size: 32, max_position_embeddings: 32, head: pretraining}}
input: {{text: {{max_length: 32, vocab_size: 14}}}}
models:
  tiny_bert:
    default: own
    checkpoints:
      own:
        format: ckpt
        publisher: me
        sha256: {sha256}
        records: [{{uid: me/tiny, url: "{url}"}}]
"""


def test_a_task_is_meant_by_its_folders_name_too() -> None:
    assert task_called("embeddings") is task_called("text-embedding") is VECTORS
    assert task_called("fill-mask") is find_task("fill-mask")
    with pytest.raises(UsageError, match="no task 'embedings'; did you mean embeddings"):
        task_called("embedings")
    with pytest.raises(UsageError, match=r"no task 'vectors'; there are .*, text-embedding, "):
        task_called("vectors")
    with pytest.raises(DataError, match="task 'image-denoising' but its networks"):
        task_called("image-denoising")


def test_every_published_encoder_under_a_head_makes_vectors() -> None:
    index = open_index(load_settings())
    counted = 0
    for name in index.models():
        entry = index.entry(name)
        for checkpoint in entry.checkpoints:
            spec = checkpoint.network or entry.network
            if spec is None or not has_family(spec.builder) or not reads_text(spec):
                continue
            bare = VECTORS.network_for(spec)
            if bare.arguments.get("head") == "encoder":
                assert task_for(entry.task, bare) is VECTORS, checkpoint.reference
                counted += 1
    assert counted >= 75


def test_what_has_no_vectors_or_needs_a_head_of_its_own_is_one_line() -> None:
    settings = load_settings()
    for model, task, said in (
        ("lenet5@digits", "embeddings", "text-embedding, which takes texts, not pictures"),
        ("gpt2@mindnlp", "embeddings", r"this network \(gpt2\) has no head to be left out"),
        ("bert_base", "text-classification", "is for fill-mask, not for text-classification; that"),
        ("ocr", "embeddings", "ocr is for optical-character-recognition, not for text-embedding"),
    ):
        with pytest.raises((DataError, UsageError), match=said):
            known_of(model, settings, task)
        with pytest.raises((DataError, UsageError), match=said):
            zoohub.predict(model, "no.png", task=task)
    assert known_of("bert_base", settings, "fill-mask").task is find_task("fill-mask")
    assert known_of("bert_base", settings, "embeddings").task is VECTORS


def test_info_tells_of_the_vectors(capsys: pytest.CaptureFixture[str]) -> None:
    command = "zoohub predict bert_base_uncased sentences.txt --vocab FILE"
    assert main(["info", "bert_base_uncased"]) == 0
    lines = list(map(str.strip, capsys.readouterr().out.splitlines()))
    assert lines[lines.index(command) + 1] == f"{command} --task text-embedding"


@pytest.mark.slow
def test_a_pretrained_networks_vectors_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import mindspore as ms

    from zoohub.core.hashing import hash_file
    from zoohub.manifest.entry import NetworkSpec
    from zoohub.networks.loading import build

    pytest.importorskip("tokenizers")
    pytest.importorskip("onnxruntime")
    sizes = {"vocab_size": 14, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
             "intermediate_size": 32, "max_position_embeddings": 32}  # fmt: skip
    whole = build(NetworkSpec("bert", {**sizes, "head": "pretraining"})).set_train(False)
    file = tmp_path / "tiny.ckpt"
    ms.save_checkpoint(whole, str(file))
    folder = tmp_path / "index" / "natural-language-understanding"
    folder.mkdir(parents=True)
    text = INDEX.format(sha256=hash_file(file).sha256, url=file.as_uri())
    (folder / "tiny.yaml").write_text(text)
    monkeypatch.setenv("ZOOHUB_INDEX", str(folder.parent))
    monkeypatch.setenv("ZOOHUB_HOME", str(tmp_path / "home"))
    vocab = str(example.write(tmp_path / "data").with_name("vocab.txt"))
    ids = np.array([[2, 5, 3]], np.int32)
    states = whole.bert(*map(ms.Tensor, (ids, ids * 0, ids * 0 + 1)))[0].asnumpy()[0]
    wanted = {"mean": states.mean(0), "cls": states[0]}

    def vector(*options: str) -> tuple[str, list[float]]:
        words = ["--task", "embeddings", "--text", "ann", "--vocab", vocab, "--json", *options]
        assert main(["predict", "tiny_bert", *words]) == 0
        (row,) = json.loads(capsys.readouterr().out)
        return row["engine"], row["predictions"][0]["vector"]

    # The compiled form is the encoder's own, made with the first call and found by the second.
    for options, engine, pooling in (
        ((), "onnxruntime", "mean"),
        (("--pooling", "cls"), "onnxruntime", "cls"),
        (("--engine", "mindspore"), "mindspore", "mean"),
        (("--checkpoint", str(file), "--engine", "mindspore"), "mindspore", "mean"),
    ):
        by, found = vector(*options)
        assert by == engine
        np.testing.assert_allclose(found, wanted[pooling], atol=1e-5)
    (masked,) = zoohub.predict("tiny_bert", [Text("ann [MASK]")], vocab=vocab)  # its own task
    assert "token" in masked.predictions[0].to_json()
    net = zoohub.load("tiny_bert", pretrained=True)
    with pytest.raises(UsageError, match="this network is for fill-mask, not for text-embedding"):
        zoohub.predict(net, [[2, 5, 3]], task="embeddings")
