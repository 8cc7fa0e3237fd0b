"""`zoohub convert`: a checkpoint file in another format or naming scheme."""

from __future__ import annotations

import argparse

from zoohub.cli.options import path
from zoohub.cli.output import Output
from zoohub.core.counting import counted

EXAMPLES = (
    "zoohub convert resnet50.ckpt --to safetensors",
    "zoohub convert resnet50.ckpt --to torchvision --output resnet50.pth",
    "zoohub convert resnet50.pth --to mindcv --output resnet50.ckpt",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `zoohub convert`."""
    parser.add_argument(
        "file", type=path, metavar="FILE", help="a .ckpt, .safetensors or .pth file"
    )
    parser.add_argument(
        "--to",
        required=True,
        metavar="NAME",
        help="a format (ckpt, safetensors, pth) or a naming scheme (torchvision, mindcv, …)",
    )
    parser.add_argument(
        "--output", type=path, metavar="FILE", help="by default beside FILE; the suffix is a format"
    )
    parser.add_argument(
        "--family", metavar="NAME", help="whose names they are (resnet); by default found by them"
    )


def run(options: argparse.Namespace, output: Output) -> int:
    """Write the file; stdout has its path alone."""
    from zoohub.exporting import convert_file

    done = convert_file(options.file, options.to, options.output, family=options.family)
    if output.as_json:
        output.json(
            [
                {
                    "path": str(done.path),
                    "format": done.format,
                    "tensors": done.tensors,
                    "renamed": done.renamed,
                    "left_out": list(done.left_out),
                }
            ]
        )
        return 0
    output.data(str(done.path))
    output.talk(
        f"{counted(done.tensors, 'tensor')}, {done.renamed} renamed, {len(done.left_out)} left out"
    )
    return 0
