"""Options that several commands share."""

from __future__ import annotations

import argparse


def add_device_options(parser: argparse.ArgumentParser) -> None:
    """`--device` and `--mode`, where a network runs."""
    parser.add_argument("--device", metavar="DEVICE", help="cpu, ascend or ascend:N")
    parser.add_argument(
        "--mode", choices=("graph", "pynative"), help="how MindSpore runs the network"
    )
