"""A network that reads text predicts by name, from the command line and from Python."""

from __future__ import annotations

import io
import json
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest

import zoohub
from zoohub.cli.export import facts_of
from zoohub.cli.main import main
from zoohub.errors import DataError, ExportError, UsageError
from zoohub.exporting import export_with_report
from zoohub.exporting.lite import lite_command

WORDS = ["<unk>", "<s>", "</s>", *"abcdefghijklmnopq"]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with weights of a small network, its vocabulary and sentences."""
    import mindspore

    folder = tmp_path_factory.mktemp("own")
    mindspore.set_seed(1)
    net = zoohub.load(
        "transformer_large",
        hidden_size=16,
        num_hidden_layers=1,
        intermediate_size=32,
        vocab_size=len(WORDS),
    )
    mindspore.save_checkpoint(net, str(folder / "own.ckpt"))
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    (folder / "ids.jsonl").write_text(
        '[5, 6, 7]\n{"ids": [5, 6, 7, 2]}\n[5, 99]\n\n{"text": "a b"}\n'
    )
    (folder / "long.jsonl").write_text(json.dumps([5] * 128) + "\n")
    (folder / "words.txt").write_text("a b c\n")
    return folder


def predict(own: Path, *arguments: str) -> list[str]:
    weights = str(own / "own.ckpt")
    return ["predict", "transformer_large", *arguments, "--checkpoint", weights, "--mode", "graph"]


@pytest.mark.slow
def test_token_ids_and_text_are_translated(
    own: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(predict(own, str(own / "ids.jsonl"), "--json", "--batch-size", "4")) == 3
    said = capsys.readouterr()
    first, second, unknown, empty, text = json.loads(said.out)
    (row,) = first["predictions"]
    assert list(row) == ["text", "score", "tokens"]
    assert row["text"] is None
    assert row["score"] < 0
    assert all(0 <= token < len(WORDS) for token in row["tokens"])
    assert second["predictions"][0]["tokens"] == row["tokens"]  # with its end and without
    file = own / "ids.jsonl"
    assert [first["input"], second["input"]] == [f"{file}:1", f"{file}:2"]
    assert unknown["error"] == f"{file}:3: token 99 is none of the network's 20"
    assert empty["error"] == f"{file}:4: an empty line, in which there is nothing to read"
    assert "vocab.bpe.32000" in text["error"]
    assert "token ids always work" in text["error"]

    words = ("--vocab", str(own / "vocab.txt"), "--json")
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"c d e\n")))
    assert main(predict(own, str(own / "word?.txt"), "-", "--text", "c d e", *words)) == 0
    lines, piped, given = json.loads(capsys.readouterr().out)
    assert (lines["input"], piped["input"]) == (f"{own / 'words.txt'}:1", "input 1:1")
    assert given["input"] == "c d e"
    assert given["predictions"][0]["tokens"] == row["tokens"]  # c d e is 5 6 7
    assert given["predictions"][0]["text"].split() == [WORDS[token] for token in row["tokens"]]
    assert piped["predictions"][0]["tokens"] == row["tokens"]

    net = zoohub.load("transformer_large", checkpoint=own / "own.ckpt")
    assert net.zoohub.input.text.vocab_size == len(WORDS)
    (one,) = zoohub.predict(net, "c d e", vocab=own / "vocab.txt", mode="graph")
    assert list(one.predictions[0].tokens) == row["tokens"]
    assert one._repr_html_()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("long.jsonl",), ":1: 129 tokens with its end, the network takes at most 128"),
        (("--text", "a", "--vocab", "words.txt"), "words.txt has 1 token, the network 20"),
        (("--text", "a", "--vocab", "none.txt"), "none.txt: there is no such file"),
        (("--text", "a"), "'a' is text, which takes the network's vocabulary"),
        (("--text", " ", "--vocab", "vocab.txt"), "an empty line"),
    ],
)
def test_bad_input_is_one_line(
    own: Path, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [str(own / name) if "." in name else name for name in arguments]
    assert main(predict(own, *names)) == 1
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_what_text_lacks_is_said_before_anything_is_fetched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOOHUB_OFFLINE", "1")  # a fetch would fail otherwise
    assert main(["predict", "transformer", "--text", "good day"]) == 1
    said = capsys.readouterr().err
    assert "'good day' is text, which takes the network's vocabulary (vocab.bpe.32000, " in said
    assert "token ids always work" in said
    assert main(["predict", "transformer", "--text", "good day", "--vocab", "none.txt"]) == 1
    assert "none.txt: there is no such file" in capsys.readouterr().err
    (tmp_path / "few.txt").write_text("<unk>\n<s>\n</s>\na\n")
    few = ["--vocab", str(tmp_path / "few.txt")]
    assert main(["predict", "transformer", "--text", "good day", *few]) == 1
    assert "few.txt has 4 tokens" in capsys.readouterr().err
    assert main(["predict", "gpt2@mindnlp", "--text", "good day", *few]) == 1
    assert "few.txt: expected a tokenizer.json, or" in capsys.readouterr().err
    assert main(["predict", "seq2seq", "--text", "good day"]) == 1
    assert "does not know how the input of seq2seq is made" in capsys.readouterr().err


def test_an_engine_that_has_no_form_of_it_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setenv("ZOOHUB_OFFLINE", "1")  # a fetch would fail otherwise
    (tmp_path / "a.jsonl").write_text("[5]\n")
    asked = ["predict", "gpt2@mindnlp", str(tmp_path / "a.jsonl"), "--engine", "onnxruntime"]
    assert main(asked) == 2
    assert "has no compiled form for onnxruntime yet" in capsys.readouterr().err


def test_text_is_not_for_networks_of_pictures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "transformer"]) == 2
    assert "name an INPUT, or give --text" in capsys.readouterr().err
    assert main(["predict", "lenet5@digits", "--text", "a"]) == 2
    assert "--text is for networks that read text" in capsys.readouterr().err


@pytest.mark.slow
def test_an_option_that_is_not_there_is_refused(own: Path) -> None:
    net = zoohub.load("transformer_large", checkpoint=own / "own.ckpt")
    with pytest.raises(UsageError, match="there is no option 'vocabulary'"):
        zoohub.predict(net, [[5]], vocabulary="x")


@pytest.mark.every
@pytest.mark.slow
def test_a_mindir_in_parts_is_searched_and_a_whole_one_says_that_it_is_not(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "own.mindir"
    command = ["export", "transformer_large", "--checkpoint", str(own / "own.ckpt"), "--check"]
    assert main([*command, "--output", str(file)]) == 0
    said = capsys.readouterr()
    assert said.out.split() == [str(file)]
    assert "belongs together with own.encode.mindir, beside it" in said.err
    assert "opset" not in said.err
    for part in (file, file.with_name("own.encode.mindir")):
        assert shlex.join(lite_command(part)) in said.err
    net = zoohub.load("transformer_large", checkpoint=own / "own.ckpt")
    sentences = [[3], [5, 6, 7], [9] * 20]
    slow = zoohub.predict(net, sentences, mode="graph", batch_size=2)
    again = zoohub.predict(file, sentences, batch_size=2)
    assert {one.engine for one in again} == {"mindspore"}
    assert [one.predictions[0].tokens for one in again] == [
        one.predictions[0].tokens for one in slow
    ]
    with pytest.raises(DataError, match=r"own\.encode\.mindir is one part of an exported network"):
        zoohub.predict(tmp_path / "own.encode.mindir", sentences)
    whole = zoohub.export(net, tmp_path / "whole.mindir", length=4)
    assert not whole.with_name("whole.encode.mindir").exists()
    with pytest.raises(DataError, match="export it again without a length"):
        zoohub.predict(whole, sentences)


def _of_another_network(file: Path, *, nobodys: bool = False) -> None:
    """Have a part of an exported network say that it is of another, or of whatever network."""
    _saying(file, "whole", None if nobodys else "0" * 64)


def _saying(file: Path, key: str, value: str | None) -> None:
    import onnx

    model = onnx.load(file)
    said = {prop.key: prop.value for prop in model.metadata_props}
    assert said.pop(f"zoohub.{key}")
    onnx.helper.set_model_props(model, said if value is None else said | {f"zoohub.{key}": value})
    onnx.save(model, file)


@pytest.mark.slow
def test_an_exported_network_is_searched_by_onnxruntime(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    net = zoohub.load("transformer_large", checkpoint=own / "own.ckpt")
    export = export_with_report(net, tmp_path / "own.onnx", check=True)
    file = export.path
    assert file == tmp_path / "own.onnx"
    assert "belongs together with own.encode.onnx, beside it" in facts_of(export)
    assert sorted(path.name for path in tmp_path.glob("own*")) == ["own.encode.onnx", "own.onnx"]
    axes = {
        source.name: [dim.dim_param or dim.dim_value for dim in source.type.tensor_type.shape.dim]
        for source in onnx.load(file).graph.input
    }
    assert axes == {
        "memory": ["batch", "source", 16],
        "source_mask": ["batch", "source"],
        "target_ids": ["batch", "target"],
    }
    sentences = [[3], [5, 6, 7], [9] * 20, [4, 5]]
    slow = zoohub.predict(net, sentences, mode="graph", batch_size=3)
    fast = zoohub.predict(file, sentences, batch_size=3)
    assert {one.engine for one in fast} == {"onnxruntime"}
    assert [one.predictions[0].tokens for one in fast] == [
        one.predictions[0].tokens for one in slow
    ]
    assert main(["predict", str(file), "--text", "c d e", "--vocab", str(own / "vocab.txt")]) == 0
    told = capsys.readouterr().out.split()
    assert told[:3] == ["c", "d", "e"]
    assert told[3:] == [WORDS[token] for token in fast[1].predictions[0].tokens]
    with pytest.raises(DataError, match=r"own\.encode\.onnx is one part of an exported network"):
        zoohub.predict(tmp_path / "own.encode.onnx", sentences)
    _of_another_network(file.with_name("own.encode.onnx"))
    with pytest.raises(DataError, match=r"own\.encode\.onnx and .*own\.onnx are parts of two netw"):
        zoohub.predict(file, sentences)
    _of_another_network(file, nobodys=True)
    with pytest.raises(DataError, match="are parts of two networks"):
        zoohub.predict(file, sentences)
    _of_another_network(file.with_name("own.encode.onnx"), nobodys=True)  # as zoohub wrote before
    assert zoohub.predict(file, [[3]])[0].engine == "onnxruntime"
    encode = file.with_name("own.encode.onnx")
    _saying(encode, "part", "step")
    with pytest.raises(DataError, match=r"own\.encode\.onnx is the part 'step' of the network"):
        zoohub.predict(file, sentences)
    _saying(encode, "part", None)  # as zoohub wrote before
    model = onnx.load(encode)
    made = model.graph.output[0].name
    model.graph.output[0].name = "other"
    model.graph.node.add(op_type="Identity", input=[made], output=["other"])
    onnx.save(model, encode)
    with pytest.raises(DataError, match=r"own\.encode\.onnx has no output 'memory'"):
        zoohub.predict(file, sentences)
    _saying(file, "parts", '["encode", "stride"]')
    with pytest.raises(DataError, match=r"own\.onnx has no part 'step', which its task asks for"):
        zoohub.predict(file, sentences)
    encode.unlink()
    with pytest.raises(DataError, match=r"own\.encode\.onnx: there is no such file"):
        zoohub.predict(file, sentences)
    for options in ({"dtype": "float16"}, {"quantize": "dynamic"}):
        with pytest.raises(ExportError, match="in float32 and not quantised"):
            zoohub.export(net, tmp_path / "b.onnx", **options)
    assert not (tmp_path / "b.onnx").exists()
