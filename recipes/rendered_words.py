"""Make what recipes/crnn_vgg7-words.yaml learns from: words of Python's own documentation (PSF
licence, in `pydoc_data.topics`), drawn with free fonts.

    apt-get download fonts-lato fonts-open-sans fonts-freefont-ttf fonts-crosextra-caladea \\
        fonts-crosextra-carlito fonts-inconsolata fonts-hack fonts-cantarell fonts-quicksand \\
        fonts-ebgaramond fonts-linuxlibertine fonts-noto-mono fonts-roboto-unhinted \\
        fonts-dejavu-core fonts-dejavu-extra fonts-liberation
    for file in *.deb; do dpkg -x "$file" fonts; done
    python recipes/rendered_words.py fonts runs/words

writes runs/words/{train,val,test}/gt.txt with pictures, and runs/words/dict.txt, the characters.
The parts share no word (a word goes by a hash to one of them) and no family of fonts.
"""

from __future__ import annotations

import hashlib
import pydoc_data.topics
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

COUNTS = {"train": 24_000, "val": 500, "test": 2_000}
FAMILIES = {  # of fonts, by the beginning of their files' names; all others are trained on
    "val": ("OpenSans", "NotoMono", "NotoSansMono"),
    "test": ("Roboto", "Caladea", "DejaVuSerif", "EBGaramond", "LiberationMono"),
}
SHARES = {"test": 0.15, "val": 0.03}  # of the words
STYLES = ("regular", "bold", "italic", "oblique", "medium", "semibold", "book", "bolditalic", "r",
          "rb", "ri", "rbi", "")  # fmt: skip
CHARACTERS = "".join(map(chr, range(32, 127)))
LONGEST = 18
HEIGHT = range(16, 44)  # pixels of a font


def main(fonts: str, output: str) -> None:
    """Write all three parts."""
    words = every_word()
    files = font_files(Path(fonts))
    for number, (part, count) in enumerate(COUNTS.items()):
        folder = Path(output) / part
        folder.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(number)
        known = [word for word in words if part_of(word) == part]
        lines = []
        for place in range(count):
            text = drawn_text(known, random)
            font = files[part][int(random.integers(len(files[part])))]
            picture = draw(text, font, random)
            name = f"{place:05d}.jpg"
            picture.save(folder / name, quality=int(random.integers(50, 96)))
            lines.append(f"{name}\t{text}\n")
        (folder / "gt.txt").write_text("".join(lines), encoding="utf-8")
        print(f"{part}: {count} pictures of {len(known)} words in {len(files[part])} fonts")
    (Path(output) / "dict.txt").write_text("\n".join(CHARACTERS) + "\n", encoding="utf-8")


def every_word() -> list[str]:
    """What blanks part in the documentation, of printable ASCII, each once."""
    text = " ".join(pydoc_data.topics.topics.values())
    found = {word for word in text.split() if len(word) <= LONGEST}
    return sorted(word for word in found if set(word) <= set(CHARACTERS))


def part_of(word: str) -> str:
    """train, val or test: the same for words that differ in case or punctuation alone."""
    stem = re.sub(r"\W", "", word).lower() or word
    place = int(hashlib.sha256(stem.encode()).hexdigest()[:8], 16) / (1 << 32)
    for part, share in SHARES.items():
        if place < share:
            return part
        place -= share
    return "train"


def drawn_text(words: Sequence[str], random: np.random.Generator) -> str:
    """A word or a few, as they are or in capitals; sometimes digits and signs at random."""
    chance = random.random()
    if chance < 0.15:
        length = int(random.integers(1, 9))
        return "".join(random.choice(list(CHARACTERS[1:]), length))
    if chance < 0.25:
        return f"{random.integers(0, 10 ** int(random.integers(1, 8)))}"
    word = words[int(random.integers(len(words)))]
    if chance < 0.5:
        for place in random.integers(len(words), size=3):
            longer = f"{word} {words[place]}"
            word = longer if len(longer) <= LONGEST else word
    return word.upper() if chance > 0.9 else word.capitalize() if chance > 0.8 else word


def font_files(folder: Path) -> dict[str, list[Path]]:
    """The fonts of each part: of usual weight, and letters for text."""
    found: dict[str, list[Path]] = {part: [] for part in COUNTS}
    for file in sorted(folder.rglob("*.[to]tf")):
        name, _, style = re.sub(r"[-_]", "|", file.stem, count=1).partition("|")
        if style.lower() not in STYLES:
            continue
        part = next((p for p, names in FAMILIES.items() if name.startswith(names)), "train")
        found[part].append(file)
    return found


def draw(text: str, file: Path, random: np.random.Generator) -> Image.Image:
    """The text in one colour on another, a little turned, blurred and noisy, cut out closely."""
    font = ImageFont.truetype(str(file), int(random.integers(HEIGHT.start, HEIGHT.stop)))
    left, top, right, bottom = font.getbbox(text)
    edge = font.size
    size = (int(right - left) + 2 * edge, int(bottom - top) + 2 * edge)
    ground, ink = colours(random)
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).text((edge - left, edge - top), text, fill=255, font=font)
    mask = mask.rotate(float(random.normal(0, 1.2)), Image.Resampling.BICUBIC)
    box = mask.getbbox() or (0, 0, *size)
    around = random.uniform(0, 0.25, 4) * font.size * (-1, -1, 1, 1)
    mask = mask.crop(tuple(int(side + more) for side, more in zip(box, around, strict=True)))
    if random.random() < 0.5:
        mask = mask.filter(ImageFilter.GaussianBlur(float(random.uniform(0.2, 0.05 * font.size))))
    cover = np.asarray(mask, np.float32)[..., None] / 255
    pixels = ground + (ink - ground) * cover
    pixels = pixels + random.normal(0, random.uniform(0, 10), (*pixels.shape[:2], 1))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def colours(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Ground and ink, half of the time black on white, else at least 80 grey levels apart."""
    if random.random() < 0.5:
        return np.full(3, random.uniform(225, 255)), np.full(3, random.uniform(0, 60))
    while True:
        ground, ink = random.uniform(0, 255, 3), random.uniform(0, 255, 3)
        if abs(ground.mean() - ink.mean()) > 80:
            return ground, ink


if __name__ == "__main__":
    main(*sys.argv[1:])
