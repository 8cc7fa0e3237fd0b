"""Draw what recipes/dbnet_resnet18-printed.yaml and recipes/crnn_vgg7-printed.yaml learn from:
pages of print in free fonts, with the outlines of their lines, and lines cut out of such pages.

    apt-get download wamerican fonts-lato fonts-open-sans fonts-freefont-ttf \\
        fonts-crosextra-caladea fonts-crosextra-carlito fonts-inconsolata fonts-hack \\
        fonts-cantarell fonts-quicksand fonts-ebgaramond fonts-linuxlibertine fonts-noto-mono \\
        fonts-roboto-unhinted fonts-dejavu-core fonts-dejavu-extra fonts-liberation \\
        fonts-texgyre fonts-jetbrains-mono fonts-firacode fonts-junicode fonts-gfs-didot \\
        fonts-sil-charis fonts-sil-gentium-basic
    for file in *.deb; do dpkg -x "$file" debian; done
    python recipes/printed_pages.py pages debian runs/printed-pages
    python recipes/printed_pages.py lines debian runs/printed-lines

`pages` writes OUTPUT/{train,val,test}/ with a gt_NAME.txt for each picture (ICDAR 2015), `lines`
OUTPUT/{train,val,test}/gt.txt with pictures, and OUTPUT/dict.txt, the characters. The parts share
no word and no family of fonts. Needs `zoohub[ocr]`: lines are cut out as the pipeline `ocr` does.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from printed_text import CHARACTERS, PARTS, Words, font_at, fonts_of, words_of

from zoohub.inputs.picture.text_crop import crop_corners, crop_text

PAGES = {"train": 700, "val": 40, "test": 100}
LINES = {"train": 30_000, "val": 300, "test": 2_000}
LINES_A_PAGE = 15  # cut out of one, at most
SIDES = range(420, 900)  # of a page, in pixels
WIDEST = 11.0  # a cut line's width, in heights
LIST = "usr/share/dict/american-english"

Random = np.random.Generator
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Word:
    """A word and where it is: x from `left` to `right`."""

    text: str
    left: float
    right: float


@dataclass(frozen=True)
class Line:
    """Words beside each other between two heights, and the matrix (2, 3) from there to the picture,
    which is turned."""

    words: tuple[Word, ...]
    top: float
    bottom: float
    turn: Floats = field(default_factory=lambda: np.eye(2, 3))

    @property
    def text(self) -> str:
        """What it says."""
        return " ".join(word.text for word in self.words)

    def corners(
        self, left: float = 0, top: float = 0, right: float = 0, bottom: float = 0
    ) -> Floats:
        """(4, 2), clockwise from the top left, moved outwards by these shares of the height."""
        high = self.bottom - self.top
        x = self.words[0].left - left * high, self.words[-1].right + right * high
        y = self.top - top * high, self.bottom + bottom * high
        flat = np.array([(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])])
        return flat @ self.turn[:, :2].T + self.turn[:, 2]


def main(what: str, debian: Path, output: Path) -> None:
    """Write all three parts."""
    counts = {"pages": PAGES, "lines": {part: -(-n // LINES_A_PAGE) for part, n in LINES.items()}}
    write = {"pages": write_page, "lines": write_lines}[what]
    for place, part in enumerate(PARTS):
        folder = output / part
        folder.mkdir(parents=True, exist_ok=True)
        work = partial(write, debian, part, folder, place)
        with multiprocessing.Pool(2) as pool:
            told = pool.map(work, range(counts[what][part]), chunksize=20)
        if what == "lines":
            (folder / "gt.txt").write_text("".join(told), "utf-8")
        print(f"{part}: {sum(text.count(chr(10)) for text in told)} lines")
    if what == "lines":
        (output / "dict.txt").write_text("\n".join(CHARACTERS) + "\n", "utf-8")


def write_page(debian: Path, part: str, folder: Path, seed: int, number: int) -> str:
    """A page and its labels, which are given too."""
    picture, lines = page(debian, part, np.random.default_rng((seed, 0, number)))
    picture.save(folder / f"{number:05d}.png")
    labels = [
        ",".join(f"{value:.1f}" for value in line.corners().ravel()) + f",{line.text}\n"
        for line in lines
    ]
    (folder / f"gt_{number:05d}.txt").write_text("".join(labels), "utf-8")
    return "".join(labels)


def write_lines(debian: Path, part: str, folder: Path, seed: int, number: int) -> str:
    """Some lines of a page, cut out, and their labels."""
    random = np.random.default_rng((seed, 1, number))
    picture, lines = page(debian, part, random)
    pixels, labels = np.asarray(picture), ""
    for place in random.permutation(len(lines))[:LINES_A_PAGE]:
        cut, around = part_of_line(lines[place], random)
        corners = crop_corners(cut.corners(*around), pixels.shape[:2])
        if corners is None:
            continue
        name = f"{number:05d}-{place}.png"
        Image.fromarray(crop_text(pixels, corners)).convert("L").save(folder / name)
        labels += f"{name}\t{cut.text}\n"
    return labels


def part_of_line(line: Line, random: Random) -> tuple[Line, Floats]:
    """Words that follow each other, and how far outwards the cut is: as far as a detector leaves
    it, but not into the next word."""
    high = line.bottom - line.top
    first = int(random.integers(len(line.words)))
    most = random.uniform(2, WIDEST) * high
    last = first
    while last + 1 < len(line.words):
        if line.words[last + 1].right - line.words[first].left > most:
            break
        last += 1
    around = np.array([1, 1, 1, 1]) * random.uniform(-0.05, 0.3) + random.uniform(-0.06, 0.06, 4)
    around[[0, 2]] = np.maximum(around[[0, 2]], -0.03)
    if first > 0:
        around[0] = min(
            around[0], (line.words[first].left - line.words[first - 1].right) / high / 2
        )
    if last + 1 < len(line.words):
        around[2] = min(around[2], (line.words[last + 1].left - line.words[last].right) / high / 2)
    return replace(line, words=line.words[first : last + 1]), around


def page(debian: Path, part: str, random: Random) -> tuple[Image.Image, list[Line]]:
    """A page, RGB, and its lines."""
    words, families = words_of(part, debian / LIST), fonts_of(part, debian)
    width, height = (int(side) for side in random.integers(SIDES.start, SIDES.stop, 2))
    mask = Image.new("L", (width, height))
    canvas = ImageDraw.Draw(mask)
    lines: list[Line] = []
    margin = int(random.integers(8, 50))
    columns = int(random.choice([1, 1, 1, 2, 2, 3]))
    gutter = int(random.integers(22, 60))
    wide = (width - 2 * margin - gutter * (columns - 1)) / columns
    sizes = np.exp(random.uniform(np.log(11), np.log(34), 3))
    for column in range(columns):
        left, top = margin + column * (wide + gutter), float(margin)
        while top < height - margin:
            family = families[int(random.integers(len(families)))]
            file = family[int(random.integers(len(family)))]
            size = sizes[int(random.integers(3))] * (
                random.uniform(1.3, 2.2) if random.random() < 0.15 else 1
            )
            block = Block(file, int(size), left, wide, random.choice([0, 0, 0, 0.5, 1]))
            space = random.uniform(1.02, 1.7) * block.high
            for _ in range(int(random.integers(1, 9))):
                if top + block.high > height - margin:
                    break
                if line := block.line(canvas, top, words, random):
                    lines.append(line)
                top += space
            top += random.uniform(0.1, 1.5) * block.high
            if random.random() < 0.1:
                canvas.line([(left, top), (left + wide, top)], 255, int(random.integers(1, 4)))
                top += random.uniform(0.3, 1.0) * block.high
    turn = turn_by(random.normal(0, 1.2) if random.random() < 0.5 else 0.0, width, height)
    back = np.linalg.inv(np.vstack([turn, (0, 0, 1)]))[:2]
    mask = mask.transform(
        mask.size, Image.Transform.AFFINE, back.ravel().tolist(), Image.Resampling.BICUBIC
    )
    return printed(mask, random), [replace(line, turn=turn) for line in lines]


class Block:
    """Lines in one font, `left` and `wide` in pixels, aligned left (0), centred or right (1)."""

    def __init__(self, file: Path, size: int, left: float, wide: float, align: float) -> None:
        self.font = font_at(file, size)
        self.left, self.wide, self.align = left, wide, align
        _, above, _, below = self.font.getbbox("dhklpgqy|", anchor="ls")
        self.above, self.high = -above, below - above
        self.space = self.font.getlength(" ")

    def line(
        self, canvas: ImageDraw.ImageDraw, top: float, words: Words, random: Random
    ) -> Line | None:
        """Draw words, as many as there is room for, or fewer; None where none fits."""
        room = self.wide * (1.0 if random.random() < 0.6 else random.uniform(0.2, 1.0))
        text, found = "", []
        while True:
            more = f"{text} {word}" if (word := words.token(random)) and text else word
            if self.font.getlength(more) > room:
                break
            text = more
            right = self.font.getlength(text)
            found.append(Word(word, right - self.font.getlength(word), right))
        if not found:
            return None
        left = self.left + self.align * (self.wide - self.font.getlength(text))
        canvas.text((left, top + self.above), text, 255, self.font, anchor="ls")
        placed = [replace(w, left=left + w.left, right=left + w.right) for w in found]
        return Line(tuple(placed), top, top + self.high)


def turn_by(degrees: float, width: int, height: int) -> Floats:
    """The matrix (2, 3) that turns points of a picture round its middle."""
    angle = np.deg2rad(np.clip(degrees, -4, 4))
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([width, height]) / 2
    return np.column_stack([matrix, middle - matrix @ middle])


def printed(mask: Image.Image, random: Random) -> Image.Image:
    """The mask's ink on a ground, blurred, made coarser and noisy, and saved as JPEG, or not."""
    chance = random.random()
    if chance < 0.35:
        mask = mask.filter(ImageFilter.GaussianBlur(float(random.uniform(0.3, 0.9))))
    elif chance < 0.55:
        share = random.uniform(0.65, 0.95)
        small = mask.resize([int(share * side) for side in mask.size], Image.Resampling.BILINEAR)
        mask = small.resize(mask.size, Image.Resampling.BICUBIC)
    ground, ink = colours(random)
    cover = np.asarray(mask, np.float32)[..., None] / 255
    under = np.broadcast_to(ground.astype(np.float32), (*cover.shape[:2], 3)).copy()
    if random.random() < 0.3:
        under += uneven(cover.shape[:2], random)[..., None]
    pixels = under + (ink - under) * cover
    if random.random() < 0.6:
        pixels = pixels + random.normal(0, random.uniform(0, 10), (*cover.shape[:2], 1))
    picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if random.random() < 0.4:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=int(random.integers(40, 96)))
        picture = Image.open(file).convert("RGB")
    return picture


def uneven(size: tuple[int, int], random: Random) -> NDArray[np.float32]:
    """Light that changes over the page, coarsely or finely, by some grey levels."""
    coarse = int(random.choice([2, 3, 12, 60]))
    levels = random.normal(0, random.uniform(3, 14), (coarse, coarse)).astype(np.float32)
    return np.asarray(Image.fromarray(levels).resize(size[::-1], Image.Resampling.BICUBIC))


def colours(random: Random) -> tuple[Floats, Floats]:
    """Ground and ink: of three times two dark on light, else at least 80 grey levels apart."""
    if random.random() < 0.67:
        return random.uniform(200, 255) + random.uniform(-8, 8, 3), np.full(
            3, random.uniform(0, 80)
        )
    while True:
        ground, ink = random.uniform(0, 255, 3), random.uniform(0, 255, 3)
        if abs(ground.mean() - ink.mean()) > 80:
            return ground, ink


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw printed pages, or lines of such pages.")
    parser.add_argument("what", choices=("pages", "lines"))
    parser.add_argument("debian", type=Path, help="the unpacked packages")
    parser.add_argument("output", type=Path)
    given = parser.parse_args()
    if not (given.debian / LIST).is_file():
        parser.error(f"{given.debian} has no {LIST}: unpack the packages there, as the head says")
    main(given.what, given.debian, given.output)
