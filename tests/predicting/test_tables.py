"""A table's picture goes the whole road: from the network, from the two files of its parts, and
through a pipeline that reads its text too."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

import zoohub
from zoohub.cli.main import main
from zoohub.manifest.opening import open_index
from zoohub.models.pipelines import Pipeline
from zoohub.settings import load_settings

pytestmark = pytest.mark.slow

INDEX = """
family: small
task: table-recognition
models:
  small_table:
    default: own
    network: {builder: table_master, arguments: {steps: 4, stacks: 1, intermediate_size: 8}}
    input: {size: [64, 64], mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], resize: letterbox,
            align: corner, fill: [0], interpolation: bilinear, colour: BGR}
    checkpoints:
      own:
        format: ckpt
        classes: table-html <UKN> <SOS> <EOS> <PAD>
        sources: [https://weights.example/table.ckpt]
"""


def test_a_table_is_read_saved_exported_and_read_from_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from mindspore import Tensor

    home = tmp_path / "index" / "table-recognition"
    home.mkdir(parents=True)
    (home / "small.yaml").write_text(INDEX)
    monkeypatch.setenv("ZOOHUB_INDEX", str(tmp_path / "index"))
    net = zoohub.load("small_table")
    bias = np.zeros(43, np.float32)
    bias[2] = 50  # an ordinary cell, whatever is seen
    net.head.cls_fc.bias.set_data(Tensor(bias))
    net.head.bbox_fc[0].bias.set_data(Tensor(np.array([0, -1, 5, 5], np.float32)))  # that has all
    picture = tmp_path / "table.png"
    drawing = Image.new("RGB", (200, 100), "white")
    font = ImageFont.load_default(32)
    ImageDraw.Draw(drawing).text((20, 30), "Tables", fill="black", font=font)
    drawing.save(picture)

    (found,) = zoohub.predict(net, picture, save=tmp_path / "drawn.png")
    (table,) = found.predictions
    assert table.tokens == ("<td></td>",) * 4
    assert not table.complete
    assert table.html == f"<html><body><table>{'<td></td>' * 4}</table></body></html>"
    assert Image.open(tmp_path / "drawn.png").size == (200, 100)
    whole, boxes = net(Tensor(zoohub.transforms("small_table")(picture)[None]))
    assert whole.asnumpy().argmax(-1).tolist() == [[2] * 4]
    for cell, (x, y, w, h) in zip(table.cells, boxes.asnumpy()[0] * 200, strict=True):
        corners = (x - w // 2, y - h // 2, x + w // 2, y + h // 2)
        np.testing.assert_allclose(cell.box, np.clip(corners, 0, (200, 100, 200, 100)), atol=1e-2)

    file = zoohub.export(net, tmp_path / "table.onnx")
    assert sorted(path.name for path in tmp_path.glob("*.onnx")) == [
        "table.onnx",
        "table.see.onnx",
    ]
    capsys.readouterr()
    assert main(["predict", str(file), str(picture), "--json"]) == 0
    (again,) = json.loads(capsys.readouterr().out)
    assert again["engine"] == "onnxruntime"
    assert again["predictions"][0]["html"] == table.html
    (cells,) = (prediction["cells"] for prediction in again["predictions"])
    for cell, other in zip(cells, table.cells, strict=True):
        np.testing.assert_allclose(cell["box"], other.box, atol=0.02)

    options = [f"structure={file}", "detection=dbnet_resnet18@printed"]
    options += ["recognition=crnn_vgg7@printed"]
    chosen = [part for option in options for part in ("--set", option)]
    assert main(["predict", "table", str(picture), *chosen, "--json"]) == 0
    (read,) = json.loads(capsys.readouterr().out)
    (filled,) = read["predictions"]
    texts = [cell["text"] for cell in filled["cells"]]
    assert sorted(texts) == ["", "", "", "Tables"]
    assert "<td>Tables</td>" in filled["html"]

    steps = {"detection": "dbnet_resnet18@printed", "recognition": "crnn_vgg7@printed"}
    loaded = {step: zoohub.load(name, pretrained=True) for step, name in steps.items()}
    entry = open_index(load_settings()).resolve("table").entry
    pipeline = Pipeline(entry, {"structure": net, **loaded})
    description = zoohub.export(pipeline, tmp_path / "files", format="mindir")
    names = (*steps, "structure", "structure.see")
    assert {path.name for path in description.parent.iterdir()} == {
        "table.json",
        *(f"{name}.mindir" for name in names),
    }
    (again,) = zoohub.predict(description, picture)
    assert again.engine == "mindspore"
    assert again.predictions[0].html == filled["html"]
    for cell, other in zip(again.predictions[0].cells, table.cells, strict=True):
        np.testing.assert_allclose(cell.box, other.box, atol=0.02)
