"""Reading pages beside rapidocr and Tesseract: errors and times.

    python tests/benchmarks/bench_ocr.py --font FILE [FILE …] [--rapidocr-python PYTHON]
    python tests/benchmarks/bench_ocr.py --pipeline ocr@printed [--pages FOLDER] [--font FILE …]

Without `--pipeline` it needs `rapidocr-onnxruntime==1.2.3` for PP-OCRv3's weights (`pip install
--no-deps`), which zoohub and rapidocr then share; for rapidocr itself an interpreter that has it
with what it needs. FOLDER has pictures with their texts in the order in which they are read, say
`test` of what recipes/printed_pages.py draws; of fonts pages are drawn here, say of Debian's
fonts-dejavu-core, fonts-liberation and, for Chinese, fonts-wqy-microhei.
These are A4 at 150 dots an inch: forty lines, two columns, turned by 2 and by 180 degrees, Chinese
with `--chinese FONT`. Errors are edits a character, without white space, since PP-OCRv3's Chinese
network leaves most of it out. Times are of a page from file to text, medians in seconds, after a
first page; what takes part takes turns.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "networks"))
from paddle_weights import write_index

SIZE = (1240, 1754)
WORDS = """
the road from a name to a network with its weights in it runs through an index that knows where
every published file lies and what it must hash to and whoever walks it gets the same bytes as
everybody else or is told in one line why not and what to do next
""".split()  # noqa: SIM905
SIGNS = (
    "从名字到网络的路经过索引它知道每个文件在哪里以及应当是什么样子"
    "谁走这条路都得到同样的结果否则一句话说明原因"
)
RAPID = """
import json, sys, time
from rapidocr_onnxruntime import RapidOCR
read = RapidOCR()
for line in sys.stdin:
    started = time.perf_counter()
    found, _ = read(line.strip())
    texts = [text for _, text, _ in found or []]
    print(json.dumps([texts, time.perf_counter() - started]), flush=True)
"""
Reader = Callable[[Path], tuple[str, float]]
Group = tuple[str, list[tuple[Path, str]]]  # a title, and files with their texts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--font", type=Path, nargs="+", default=[])
    parser.add_argument("--chinese", type=Path)
    parser.add_argument("--words", type=Path, help="a file of words to draw, one a line")
    parser.add_argument("--pages", type=Path)
    parser.add_argument("--pipeline")
    parser.add_argument("--rapidocr-python")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        if options.pipeline is None:
            options.pipeline = write_index(home)
            os.environ["ZOOHUB_INDEX"] = str(home / "index")
        groups = [*drawn(home, options)]
        if options.pages is not None:
            groups.append((str(options.pages), [*labelled(options.pages)]))
        readers: dict[str, Reader] = {"zoohub": zoohub_reader(options.pipeline)}
        if options.rapidocr_python:
            readers["rapidocr"] = rapid_reader(options.rapidocr_python)
        if shutil.which("tesseract"):
            readers["tesseract"] = tesseract
        for reader in readers.values():
            reader(groups[0][1][0][0])  # what is made once
        for title, pages in groups:
            edits = dict.fromkeys(readers, 0)
            taken: dict[str, list[float]] = {who: [] for who in readers}
            for file, text in pages:
                for turn in range(options.rounds):
                    for who, reader in readers.items():
                        found, seconds = reader(file)
                        taken[who].append(seconds)
                        if turn == 0:
                            edits[who] += errors(found, text)
            count = sum(len("".join(text.split())) for _, text in pages)
            told = ", ".join(f"{who} {wrong / count:.2%}" for who, wrong in edits.items())
            times = ", ".join(f"{who} {statistics.median(t):.2f} s" for who, t in taken.items())
            print(f"{title:34} {told}; {times}", flush=True)


def labelled(folder: Path) -> Iterator[tuple[Path, str]]:
    """Pictures and their texts, of `gt_NAME.txt` in the form of ICDAR 2015."""
    for labels in sorted(folder.glob("gt_*.txt")):
        lines = labels.read_text("utf-8").splitlines()
        texts = [line.split(",", 8)[8] for line in lines]
        yield labels.with_name(f"{labels.stem.removeprefix('gt_')}.png"), " ".join(texts)


def drawn(home: Path, options: argparse.Namespace) -> Iterator[Group]:
    """Pages of each font and kind."""
    known = WORDS if options.words is None else options.words.read_text("utf-8").split()
    for number, font in enumerate(options.font):
        rng = np.random.default_rng(number)
        words = [*rng.choice(known, 400)]
        for title, columns, angle in (
            ("forty lines", 1, 0.0),
            ("two columns", 2, 0.0),
            ("skew by 2 degrees", 2, 2.0),
            ("on its head", 1, 180.0),
        ):
            file = home / f"{number}-{title}.png"
            text = page(file, font, words, " ", columns, angle)
            yield f"{font.stem}, {title}", [(file, text)]
    if options.chinese is not None:
        rng = np.random.default_rng(99)
        file = home / "chinese.png"
        text = page(file, options.chinese, [*rng.choice([*SIGNS], 900)], "", 1, 0.0)
        yield f"{options.chinese.stem}, Chinese", [(file, text)]


def page(file: Path, font: Path, words: list[str], apart: str, columns: int, angle: float) -> str:
    """Draw words into columns, and give them in the order in which they are read."""
    letters = ImageFont.truetype(str(font), 24)
    image = Image.new("RGB", SIZE, "white")
    canvas = ImageDraw.Draw(image)
    width = (SIZE[0] - 160 - 80 * (columns - 1)) / columns
    lines, left = [], [*words]
    for column in range(columns):
        for row in range(40):
            line = ""
            while left and canvas.textlength(line + apart + left[0], letters) < width:
                line = f"{line}{apart if line else ''}{left.pop(0)}"
            canvas.text((80 + column * (width + 80), 90 + row * 39), line, "black", letters)
            lines.append(line)
    image.rotate(angle, fillcolor="white", resample=Image.Resampling.BICUBIC).save(file)
    return "".join(lines)


def zoohub_reader(name: str) -> Reader:
    from zoohub.predicting import open_any, predict_inputs
    from zoohub.settings import load_settings

    predictor = open_any(name, load_settings())

    def read(file: Path) -> tuple[str, float]:
        started = time.perf_counter()
        (found,) = predict_inputs(predictor, str(file), batch_size=1)
        return "".join(line.text for line in found.predictions), time.perf_counter() - started

    return read


def rapid_reader(python: str) -> Reader:
    process = subprocess.Popen(
        [python, "-c", RAPID], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    ask, answer = process.stdin, process.stdout

    def read(file: Path) -> tuple[str, float]:
        ask.write(f"{file}\n")
        ask.flush()
        texts, seconds = json.loads(answer.readline())
        return "".join(texts), seconds

    return read


def tesseract(file: Path) -> tuple[str, float]:
    language = "chi_sim" if "chinese" in file.name else "eng"
    started = time.perf_counter()
    done = subprocess.run(
        ["tesseract", str(file), "-", "-l", language, "--psm", "1", "--dpi", "150"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, time.perf_counter() - started


def errors(found: str, text: str) -> int:
    """Edits that make one of the other; white space does not count."""
    one, other = ("".join(part.split()) for part in (found, text))
    row = np.arange(len(other) + 1)
    for place, letter in enumerate(one, 1):
        changed = row[:-1] + np.array([letter != known for known in other])
        best = np.minimum(changed, row[1:] + 1)
        row = np.concatenate([[place], best])
        # What is put in costs one more than what lies to its left.
        steps = np.arange(len(row))
        row = np.minimum.accumulate(row - steps) + steps
    return int(row[-1])


if __name__ == "__main__":
    main()
