"""ImageNet's validation pictures as they are published: flat in one folder, labels in a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from zoohub.core.counting import counted, plural
from zoohub.core.paths import expanded
from zoohub.errors import DataError
from zoohub.inputs.picture.files import find_unreadable, picture_files
from zoohub.tasks.classification.recipe import ImageNetData
from zoohub.tasks.classification.splitting import require_samples, require_two, split_classes
from zoohub.tasks.contract import Reader
from zoohub.tasks.imagenet import imagenet_synsets
from zoohub.tasks.samples import Samples, Splits, none

# The first is asked for first. The last, of the development kit, is known and refused: its numbers
# are an order of their own.
LABELS = ("val.txt", "LOC_val_solution.csv")
GROUND_TRUTH = "ILSVRC2012_validation_ground_truth.txt"


class ImageNetReader(Reader[ImageNetData, int]):
    """A flat folder of pictures with `val.txt` in or beside it, or that file."""

    data = ImageNetData
    says = "ImageNet's pictures in one folder with val.txt"
    dataset = "imagenet2012"

    def claims(self, source: Path) -> bool:
        """See `Reader`."""
        if source.is_file():
            return source.name in (*LABELS, GROUND_TRUTH)
        return source.is_dir() and _labels_of(source) is not None

    def describe(self, source: Path) -> ImageNetData:
        """See `Reader`."""
        labels = source if source.is_file() else _labels_of(source)
        assert labels is not None
        folder = source if source.is_dir() else _pictures_of(source)
        return ImageNetData("imagenet", str(labels.absolute()), str(folder.absolute()))

    def read(self, data: ImageNetData, *, measuring: bool = False) -> Splits[int]:
        """The classes are synsets, those that have a picture."""
        splits = read_imagenet(data)
        if not measuring:
            require_two(splits.classes, data.pictures, skipped=splits.skipped)
            train, validation = split_classes(splits.train, data.validation, data.seed)
            splits = Splits(splits.classes, train, validation, none(), splits.skipped,
                            splits.warnings)  # fmt: skip
        return require_samples(splits, measuring)


def read_imagenet(data: ImageNetData) -> Splits[int]:
    """All pictures of the folder that the file has a label for, as one part.

    Raises:
        DataError: a line is not understood, or no picture of the folder is in the file.
    """
    file, folder = expanded(data.labels), expanded(data.pictures)
    places = dict(_lines(file))
    pictures = [path for path in picture_files(folder) if path.stem in places]
    if not pictures:
        raise DataError(f"{file}: none of the pictures in {folder} is in this file")
    missing, unlabelled = len(places) - len(pictures), len(picture_files(folder)) - len(pictures)
    warnings = []
    if missing:
        warnings.append(
            f"{counted(missing, 'picture')} that {file.name} names "
            f"{plural(missing, 'is', 'are')} not in {folder}"
        )
    if unlabelled:
        warnings.append(
            f"{counted(unlabelled, 'picture')} in {folder} {plural(unlabelled, 'is', 'are')} not "
            f"in {file.name}: left out"
        )
    bad = find_unreadable(pictures)
    skipped = {path.name: reason for path, reason in bad.items()}
    good = [path for path in pictures if path not in bad]
    used = sorted({places[path.stem] for path in good})
    order = {place: number for number, place in enumerate(used)}
    classes = tuple(imagenet_synsets()[place] for place in used)
    labels = [order[places[path.stem]] for path in good]
    samples = Samples(good, labels, [path.name for path in good])
    return Splits(classes, samples, none(), none(), skipped, tuple(warnings))


def _lines(file: Path) -> Iterator[tuple[str, int]]:
    """(picture's name without its ending, class from 0) of each line.

    Raises:
        DataError: the file cannot be read, or a line is not understood.
    """
    if file.name == GROUND_TRUTH:
        raise DataError(
            f"{file}: the development kit counts classes in an order of its own; take Caffe's "
            "val.txt or Kaggle's LOC_val_solution.csv, or sort the pictures into a folder a synset"
        )
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: cannot be read: {error}") from None
    synsets = {synset: place for place, synset in enumerate(imagenet_synsets())}
    table = file.suffix.lower() == ".csv"
    for number, line in enumerate(lines, 1):
        if not line.strip() or (table and number == 1):
            continue
        name, _, rest = line.strip().partition("," if table else " ")
        label = (rest.split() or [""])[0]
        place = int(label) if label.isascii() and label.isdigit() and len(label) < 4 else -1
        place = synsets.get(label, place)
        if place < 0:
            raise DataError(
                f"{file}:{number}: expected a picture's name and its class, from 0 to 999 or a "
                f"synset such as n01440764; found {line.strip()[:80]!r}"
            )
        yield Path(name).stem, place


def _labels_of(folder: Path) -> Path | None:
    """The labels of a folder that holds pictures and no folders: in it, or beside it."""
    for place in (folder, folder.parent):
        for name in LABELS:
            if (place / name).is_file():
                flat = not any(path.is_dir() for path in folder.iterdir())
                return place / name if flat else None
    return None


def _pictures_of(labels: Path) -> Path:
    """The folder whose pictures a file of labels is about."""
    beside = labels.parent / "val"
    return beside if beside.is_dir() else labels.parent
