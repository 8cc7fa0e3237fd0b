"""Networks of sequences become graphs; what keeps them from it is said before they come."""

from __future__ import annotations

from pathlib import Path

import pytest

import zoohub
from zoohub.cli.main import main
from zoohub.errors import DataError, ExportError

BERT = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
GPT2 = {"vocab_size": 50, "embed_dim": 16, "depth": 1, "num_heads": 2, "longest": 512}


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("bert_base", "this network takes sequences: give --length N"),
        ("gcn", "gcn takes adjacency, features, which are not all sequences"),
        ("fasttext", "its weights can (.safetensors, .pth)"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_fetched(
    model: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ZOOHUB_OFFLINE", "1")  # a fetch would fail otherwise
    assert main(["export", model, "--output", str(tmp_path / "a.onnx")]) == 1
    assert said in capsys.readouterr().err
    with pytest.raises(ExportError, match=said.replace("(.", r"\(.").replace(")", r"\)")):
        zoohub.export(model, tmp_path / "a.onnx")
    assert main(["export", model, "--output", str(tmp_path / "a.safetensors")]) == 5


@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        ("transformer", ["--length", "8"], "any batch and any length: leave --length out"),
        ("transformer", ["--batch", "2", "--dynamic", "height"], "--batch, --dynamic height out"),
        ("transformer", ["--dtype", "float16"], "in parts, in float32 and not quantised: leave"),
        ("table_master", ["--nms"], "not quantised: leave --nms out"),
        ("maskrcnn", ["--size", "512"], "any batch and any height and any width: leave --size out"),
        ("maskrcnn", ["--format", "air"], "which air does not hold: export it as onnx or mindir"),
        ("maskrcnn", ["--format", "mindir", "--size", "512"], "and any width: leave --size out"),
        ("gcn", ["--format", "mindir", "--length", "8"], "which are not all sequences"),
        ("resnet50", ["--length", "8"], "this one takes pictures"),
        ("table_master", ["--length", "8"], "this one takes pictures"),
        ("table_master", ["--size", "480"], "any height and any width: leave --size out"),
        ("bert_base", ["--length", "8", "--size", "64"], "this one takes text"),
        ("llama_7b", [], "give --length N"),
    ],
)
def test_what_an_export_has_no_use_for_is_refused(
    model: str,
    options: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ZOOHUB_OFFLINE", "1")  # a fetch would fail otherwise
    assert (
        main(["export", model, "--output", str(tmp_path / "a"), "--format", "onnx", *options]) == 1
    )
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "axes"), [("transformer", "batch,length"), ("maskrcnn", "batch,height,width")]
)
def test_what_parts_have_anyway_may_be_asked_for(
    model: str, axes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOOHUB_OFFLINE", "1")
    options = ["--output", str(tmp_path / "a.onnx"), "--dynamic", axes]
    assert main(["export", model, *options]) == 5  # it goes on to its file


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("ocr --set recognition=dbnet_resnet50 --set recognition=x", "is given twice"),
        ("ocr --set reader=dbnet_resnet50", "ocr has no step 'reader'; its steps are detection"),
        ("resnet50 --set detection=dbnet_resnet50", "resnet50 is no pipeline: it has no steps"),
    ],
)
def test_a_step_is_exchanged_of_a_pipeline_alone(
    model: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--format", "onnx", "--output", str(tmp_path / "a")]
    assert main(["--offline", "export", *model.split(), *options]) == 2
    assert said in capsys.readouterr().err


def test_a_network_for_another_task_is_no_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["ocr", "--set", "detection=crnn_vgg7", "--format", "onnx", "--output", str(tmp_path)]
    assert main(["--offline", "export", *asked]) == 1
    said = "crnn_vgg7 is for scene-text-recognition; the step detection is scene-text-detection"
    assert said in capsys.readouterr().err
    pipeline = zoohub.load("ocr_printed", pretrained=True, detection="crnn_vgg7@printed")
    with pytest.raises(DataError, match="the step detection is scene-text-detection"):
        zoohub.export(pipeline, tmp_path / "a")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("model", "export"),
    [("bert_base", "bert_base.onnx --length 128"), ("gcn", None), ("transformer", "mer.onnx"),
     ("resnet50", "resnet50.onnx")],
)  # fmt: skip
def test_the_card_names_an_export_that_works(
    model: str, export: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", model]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "zoohub export" in line]
    assert len(lines) == (export is not None)
    assert all(line.endswith(str(export)) for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "arguments"), [("bert_base", BERT), ("gpt2@mindnlp", GPT2), ("uie_base", BERT)]
)
def test_a_vocabulary_may_be_smaller_than_the_table_of_positions(
    model: str, arguments: dict[str, int], tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    net = zoohub.load(model, **arguments)
    assert zoohub.export(net, tmp_path / "a.onnx", length=8, check=True).exists()


@pytest.mark.slow
def test_an_encoder_is_a_mindir_in_half_precision(tmp_path: Path) -> None:
    net = zoohub.load("bert_base", **BERT)
    options = {"length": 8, "dtype": "float16", "check": True}
    assert zoohub.export(net, tmp_path / "a.mindir", **options).exists()


@pytest.mark.slow
def test_a_network_of_other_arrays_is_refused_as_an_object_too(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="gcn takes adjacency, features"):
        zoohub.export(zoohub.load("gcn"), tmp_path / "a.onnx", length=8)
