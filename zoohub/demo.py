"""`zoohub demo`: the whole road, offline, on handwritten digits that the network never saw.

    lenet5@digits -> manifest -> transfer -> store -> checkpoint -> network -> predict

Nothing is staged: the checkpoint comes out of the package by its `embedded:` source, is verified
like any download, and the accuracy is computed as it is printed. Where `zoohub[ocr]` is installed,
a page is read as well.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError, ManifestError
from zoohub.settings import Settings

if TYPE_CHECKING:
    from zoohub.manifest.index import Resolved
    from zoohub.predicting import Label, Prediction, Predictor

REFERENCE = "lenet5@digits"
READER, PAGE = "ocr@printed", "page.png"
_PER_LINE = 6
_OCR = ("cv2", "pyclipper", "shapely")  # what `zoohub[ocr]` brings


@dataclass(frozen=True)
class DemoResult:
    """What the demo found. `predictions` are the picture files', `truth` their digits;
    `accuracy` is over all `count` held-out digits; `page` has the lines of the page that was read,
    None without `zoohub[ocr]`; `seconds` says what each step took."""

    reference: str
    path: Path
    sha256: str
    predictions: tuple[Prediction[Label], ...]
    truth: tuple[str, ...]
    accuracy: float
    count: int
    page: tuple[str, ...] | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """The result as JSON-ready values."""
        return {
            "reference": self.reference,
            "path": str(self.path),
            "sha256": self.sha256,
            "accuracy": round(self.accuracy, 6),
            "count": self.count,
            "predictions": [
                {**prediction.to_json(), "truth": truth}
                for prediction, truth in zip(self.predictions, self.truth, strict=True)
            ],
            "page": None if self.page is None else list(self.page),
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
        }


def run_demo(
    settings: Settings, *, write: Callable[[str], object] = print, draw: bool | None = None
) -> DemoResult:
    """Classify the held-out digits with `lenet5@digits` and say each step through `write`.

    `draw` shows the digits as block characters; None: if the terminal's encoding has them.
    Needs no network. Writes the checkpoint into the store.

    Raises:
        ZoohubError: a step of the road failed; the demo hides nothing.
    """
    seconds: dict[str, float] = {}
    write(f"{REFERENCE}: from a name to a working network, without the internet\n")
    with _step("manifest", seconds):
        resolved = _resolve(settings)
    checkpoint = resolved.checkpoint
    assert checkpoint is not None
    _say(write, seconds, "manifest", f"{checkpoint.task or resolved.entry.task}, "
         f"licence {checkpoint.licence}, source {checkpoint.sources[0]}")  # fmt: skip

    with _step("transfer", seconds):
        from zoohub.transfer import fetch

        path = fetch(checkpoint, settings)
    _say(write, seconds, "transfer", f"{path.stat().st_size:,} bytes, SHA-256 verified")

    with _step("network", seconds):
        predictor, parameters = _load(resolved, path)
    _say(write, seconds, "network", f"LeNet-5 with {parameters:,} weights from the checkpoint")

    from zoohub.inputs.picture.digits import heldout_digits
    from zoohub.predicting import predict_inputs

    with _step("predict", seconds), _picture_files() as paths:
        predictions = tuple(predict_inputs(predictor, paths, {"top": 3}))
        pictures = [_pixels(path) for path in paths]
        truth = tuple(path.stem.rpartition("-")[2] for path in paths)
    _say(write, seconds, "predict", f"{len(predictions)} picture files it never saw:\n")
    for line in drawing(pictures, predictions, truth, _can_draw() if draw is None else draw):
        write(line)

    with _step("evaluate", seconds):
        digits = heldout_digits()
        found = predict_inputs(predictor, list(digits.images), {"top": 1}, batch_size=60)
        right = [int(p.predictions[0].index) for p in found] == digits.labels
    count, correct = len(digits), int(np.count_nonzero(right))
    _say(write, seconds, "evaluate", f"{correct} of {count} held-out digits right: "
         f"accuracy {correct / count:.4f}")  # fmt: skip
    page = None
    if all(importlib.util.find_spec(name) for name in _OCR):
        with _step("read", seconds):
            page = _read_page(settings)
        _say(write, seconds, "read", f"{PAGE}, two columns, by {READER}:\n")
        for line in page:
            write(f"    {line}")
    else:
        write(f"\nWith zoohub[ocr] the demo reads a page too, by {READER}")
    write(f"\nThe checkpoint is now in the store:\n  {path}")
    write(f"Next: zoohub predict {REFERENCE} PICTURE, or zoohub list")
    return DemoResult(
        reference=checkpoint.reference,
        path=path,
        sha256=str(checkpoint.sha256),
        predictions=predictions,
        truth=truth,
        accuracy=correct / count,
        count=count,
        page=page,
        seconds=seconds,
    )


def drawing(
    pictures: Sequence[NDArray[np.uint8]],
    predictions: Sequence[Prediction[Label]],
    truth: Sequence[str],
    blocks: bool,
) -> Iterator[str]:
    """Lines of text: the digits, six in a row, with what was predicted below each."""
    for start in range(0, len(pictures), _PER_LINE):
        row = slice(start, start + _PER_LINE)
        if blocks:
            art = [block_art(picture) for picture in pictures[row]]
            for lines in zip(*art, strict=True):
                yield "  " + "    ".join(lines)
        captions = []
        for prediction, label in zip(predictions[row], truth[row], strict=True):
            best = prediction.predictions[0]
            wrong = "" if best.label == label else f"≠{label}" if blocks else f"!={label}"
            captions.append(f"{best.label}{wrong} {best.score:.0%}".center(8))
        yield "  " + "    ".join(captions).rstrip()
        yield ""


def block_art(picture: NDArray[np.uint8]) -> list[str]:
    """An even number of rows of grey, two rows a line, by the characters `█▀▄` and space."""
    ink = picture > 100
    return [
        "".join(
            " ▄▀█"[2 * int(above) + int(below)] for above, below in zip(top, bottom, strict=True)
        )
        for top, bottom in zip(ink[::2], ink[1::2], strict=True)
    ]


def _resolve(settings: Settings) -> Resolved:
    from zoohub.manifest.opening import open_index

    resolved = open_index(settings).resolve(REFERENCE)
    if resolved.checkpoint is None:
        raise ManifestError(
            f"the index names no checkpoint {REFERENCE}; it comes with zoohub, so an index in "
            "ZOOHUB_INDEX must have replaced lenet5: unset it and try again"
        )
    return resolved


def _load(resolved: Resolved, path: Path) -> tuple[Predictor, int]:
    """What predicts, and the number of its weights."""
    from zoohub.models.class_names import class_names
    from zoohub.networks.loading import create_network
    from zoohub.predicting.predictor import Predictor, cell_runner
    from zoohub.tasks.finding import find_task

    checkpoint, entry = resolved.checkpoint, resolved.entry
    assert checkpoint is not None
    spec, contract = entry.network_of(checkpoint), entry.input_of(checkpoint)
    if spec is None or contract is None or checkpoint.classes is None:
        raise ManifestError(f"{REFERENCE} has no network, input contract or classes in the index")
    net, _ = create_network(spec, path)
    parameters = sum(int(p.size) for p in net.get_parameters())
    runner, read = cell_runner(net, spec.builder)
    task = find_task(checkpoint.task or entry.task)
    return Predictor(task, runner, read, contract, class_names(checkpoint.classes)), parameters


def _read_page(settings: Settings) -> tuple[str, ...]:
    """The lines of the page that comes with zoohub, by MindSpore, which the demo has imported."""
    from zoohub.predicting import open_any, predict_inputs

    predictor = open_any(READER, replace(settings, engine="mindspore"))
    with as_file(files("zoohub") / "_data" / PAGE) as path:
        (found,) = predict_inputs(predictor, str(path))
    return tuple(line.text for line in found.predictions)


def put_pictures(folder: Path) -> list[Path]:
    """Put the demo's digits, and a page to read, into a folder, which is made if it is not there;
    returns where.

    Raises:
        DataError: the folder cannot be written.
    """
    from zoohub.core.atomic import write_whole

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _picture_files() as digits, as_file(files("zoohub") / "_data" / PAGE) as page:
            for path in (*digits, page):
                write_whole(folder / path.name, path.read_bytes(), durable=False)
            return [folder / path.name for path in (*digits, page)]
    except OSError as error:
        raise DataError(
            f"the pictures cannot be put into {folder}: {error.strerror}; name another folder"
        ) from None


@contextmanager
def _picture_files() -> Iterator[list[Path]]:
    """The shipped picture files as paths, also where the package is not a plain folder."""
    folder = files("zoohub") / "_data" / "digits"
    names = sorted(f.name for f in folder.iterdir() if f.name.startswith("digit-"))
    with ExitStack() as stack:
        yield [stack.enter_context(as_file(folder / name)) for name in names]


def _pixels(path: Path) -> NDArray[np.uint8]:
    from zoohub.inputs.picture.image import read_image

    return read_image(path, "L")[:, :, 0]


@contextmanager
def _step(name: str, seconds: dict[str, float]) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - started


def _say(write: Callable[[str], object], seconds: dict[str, float], name: str, text: str) -> None:
    first, *rest = text.split("\n")
    write("\n".join([f"  {name:<9} {seconds[name]:6.2f} s  {first}", *rest]))


def _can_draw() -> bool:
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        "█▀▄≠".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
