"""`zoohub export`: a network written for another runtime."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from zoohub.cli.options import (
    add_device_options,
    add_step_option,
    add_weights_options,
    path,
    steps_given,
    weights_options,
)
from zoohub.cli.output import Output, human_size
from zoohub.core.counting import counted
from zoohub.errors import UsageError
from zoohub.exporting.request import FORMATS, check_apart

if TYPE_CHECKING:
    from mindspore import nn

    from zoohub.exporting.result import Export
    from zoohub.manifest.entry import Entry

EXAMPLES = (
    "zoohub export resnet50 --format onnx --check",
    "zoohub export resnet50 --output r50.mindir --dynamic batch,height,width",
    "zoohub export yolov5 --output yolov5s.onnx --nms",
    "zoohub export resnet50 --output int8.onnx --quantize static --calibrate photos/",
    "zoohub export resnet50 --checkpoint my.ckpt --output my.onnx --check",
    "zoohub export ocr --set detection=psenet_resnet50 --output ocr/   # a pipeline's networks",
    "zoohub export resnet50 --format pth   # torchvision's names, for PyTorch",
)
_CHOICES = (
    "format",
    "batch",
    "size",
    "length",
    "dynamic",
    "dtype",
    "fold_bn",
    "decode",
    "nms",
    "quantize",
    "calibrate",
    "names",
    "check",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `zoohub export`."""
    parser.add_argument("name", metavar="NAME|RUN", help="a model, a checkpoint or a run's folder")
    parser.add_argument("--format", choices=FORMATS, help="by default the suffix of --output tells")
    parser.add_argument(
        "--output", type=path, metavar="FILE", help="the file to write (MODEL-ID.FORMAT)"
    )
    parser.add_argument("--batch", type=int, default=1, metavar="N", help="inputs at a time (1)")
    parser.add_argument(
        "--size", type=parse_size, metavar="HxW", help="the input's, in pixels (the model's own)"
    )
    parser.add_argument(
        "--length", type=int, metavar="N", help="the sequences', where the network takes text"
    )
    parser.add_argument(
        "--dynamic",
        type=lambda text: frozenset(text.split(",")),
        default=frozenset(),
        metavar="AXES",
        help="dimensions left open: batch,height,width or batch,length",
    )
    parser.add_argument(
        "--dtype",
        choices=("float32", "float16"),
        help="what the file computes in (float32)",
    )
    parser.add_argument(
        "--fold-bn",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="fold batch norms into convolutions (on for onnx and mindir)",
    )
    parser.add_argument(
        "--decode",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="a detector's boxes decoded (default), or its raw maps",
    )
    parser.add_argument(
        "--nms", action="store_true", help="append non-maximum suppression to a detector (onnx)"
    )
    parser.add_argument(
        "--quantize",
        choices=("dynamic", "static"),
        help="to 8 bits (onnx); static measures --calibrate's pictures",
    )
    parser.add_argument(
        "--calibrate", type=path, metavar="DIR", help="pictures for --quantize static"
    )
    parser.add_argument(
        "--names",
        choices=("torchvision", "own"),
        help="whose names the parameters get in weights files",
    )
    parser.add_argument(
        "--check", action="store_true", help="run the file beside the network; print the difference"
    )
    parser.add_argument(
        "--lite", action="store_true", help="then run MindSpore Lite's converter_lite on the file"
    )
    add_step_option(parser)
    add_weights_options(parser)
    add_device_options(parser)


def run(options: argparse.Namespace, output: Output) -> int:
    """Write the file; stdout has its path alone."""
    if options.format is None and options.output is None:
        raise UsageError("give --format, or --output with a suffix that names it")
    from zoohub.exporting import check_named, export_with_report, plan_export
    from zoohub.exporting.lite import convert_to_lite, lite_command
    from zoohub.graphs.metadata import part_path
    from zoohub.manifest.steps import exchanged
    from zoohub.models.pipelines import pipeline_called
    from zoohub.models.pretrained import load_network
    from zoohub.settings import settings_for

    chosen = {key: getattr(options, key) for key in _CHOICES}
    pipeline = pipeline_called(options.name, settings_for(device=options.device))
    if pipeline is not None:
        return _export_pipeline(options, pipeline, chosen, output)
    exchanged(options.name, {}, steps_given(options))
    request = plan_export(options.output or Path(f"x.{options.format}"), **chosen)
    settings = settings_for(device=options.device)
    weights = weights_options(options, output)
    check_apart(request, weights.own_file)
    check_named(options.name, request, settings)  # before a network comes
    net = load_network(options.name, settings, weights)
    target = options.output or Path(f"{default_stem(net)}.{options.format}")
    export = export_with_report(net, target, **chosen)
    paths = [export.path]
    output.talk(f"{export.format}, {human_size(export.size)}, {export.seconds:.1f} s")
    for line in facts_of(export):
        output.talk(line)
    files = [export.path, *(part_path(export.path, part) for part in export.metadata.parts[:-1])]
    if options.lite:
        paths += [convert_to_lite(file) for file in files]
    elif export.format == "mindir":
        for file in files:
            output.talk(f"for MindSpore Lite: {shlex.join(lite_command(file))}")
    if output.as_json:
        output.json([to_json(export)])
    else:
        for path in paths:
            output.data(str(path))
    return 0


def _export_pipeline(
    options: argparse.Namespace, entry: Entry, chosen: dict[str, object], output: Output
) -> int:
    """Write a pipeline's networks into a folder; stdout has the path of its description alone."""
    from zoohub.exporting.pipelines import (
        check_exchanged,
        check_pipeline,
        description_path,
        export_pipeline,
    )
    from zoohub.models.pipelines import Pipeline, load_named
    from zoohub.settings import settings_for

    check_pipeline(options.name, {**chosen, "lite": options.lite})
    settings = settings_for(device=options.device)
    check_exchanged(entry, steps_given(options), settings)
    asked = replace(weights_options(options, output), arguments=steps_given(options))
    pipeline = load_named(options.name, settings, asked)
    assert isinstance(pipeline, Pipeline)
    folder = options.output or Path(pipeline.entry.model)
    written = []
    for export in export_pipeline(pipeline, folder, chosen):
        size, seconds = human_size(export.size), export.seconds
        output.talk(f"{export.path.name}: {export.format}, {size}, {seconds:.1f} s")
        for line in facts_of(export):
            output.talk(line)
        written.append(to_json(export))
    if output.as_json:
        output.json(written)
    else:
        output.data(str(description_path(folder, pipeline.entry.model)))
    return 0


def parse_size(text: str) -> tuple[int, int]:
    """`224x320` -> (224, 320); `224` -> (224, 224)."""
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.isdigit() and int(part) for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not HEIGHTxWIDTH, such as 224x224")
    return int(parts[0]), int(parts[-1])


def default_stem(net: nn.Cell) -> str:
    """`MODEL-ID`, or the model's name where the weights are not a published checkpoint's."""
    provenance = net.zoohub
    checkpoint = provenance.checkpoint
    return f"{checkpoint.model}-{checkpoint.id}" if checkpoint else str(provenance.entry.model)


def facts_of(export: Export) -> list[str]:
    """What was done, for the person at the terminal."""
    from zoohub.graphs.metadata import part_path

    lines = []
    if export.opset is not None:
        lines.append(f"opset {export.opset}, outputs {', '.join(export.metadata.outputs)}")
    others = [part_path(export.path, part).name for part in export.metadata.parts[:-1]]
    if others:
        lines.append(f"belongs together with {' and '.join(others)}, beside it")
    if export.folded is not None and export.folded.pairs:
        lines.append(
            f"{counted(export.folded.pairs, 'batch norm')} folded; the outputs moved by "
            f"{export.folded.difference:.1e} (relative)"
        )
    worst = export.difference
    if worst is not None:
        shape = "x".join(map(str, worst.shape))
        weights = export.metadata.parameters is not None
        lines.append(
            f"largest difference from MindSpore {worst.value:.1e} (relative), in {worst.output} "
            + (f"of shape {shape}, read again" if weights else f"for an input of {shape}")
        )
    names = {"own": "their own names", None: None}
    named = names.get(export.metadata.parameters, f"{export.metadata.parameters}'s names")
    if named is not None:
        lines.append(f"the parameters have {named}")
    if export.metadata.note:
        lines.append(f"note: {export.metadata.note}")
    return lines


def to_json(export: Export) -> dict[str, object]:
    """One export as JSON."""
    worst = export.difference
    return {
        "path": str(export.path),
        "format": export.format,
        "size": export.size,
        "seconds": round(export.seconds, 3),
        "opset": export.opset,
        "outputs": list(export.metadata.outputs),
        "folded": None if export.folded is None else export.folded.pairs,
        "fold_difference": None if export.folded is None else export.folded.difference,
        "difference": None if worst is None else worst.value,
        "parameters": export.metadata.parameters,
    }
