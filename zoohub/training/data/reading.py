"""From what the user names to pictures with labels."""

from __future__ import annotations

from pathlib import Path

from zoohub.errors import DataError
from zoohub.training.data.digits import read_digits
from zoohub.training.data.folder import read_folder
from zoohub.training.data.samples import Splits
from zoohub.training.data.table import read_table
from zoohub.training.recipe import Data, DigitsData, FolderData, TableData

_TABLES = (".csv", ".jsonl", ".ndjson")


def data_for(source: str | Path | Data, validation: float = 0.2) -> Data:
    """What `--data` means: a folder, a .csv or .jsonl file, or `digits`.

    Raises:
        DataError: there is no such thing.
    """
    if isinstance(source, DigitsData | FolderData | TableData):
        return source
    path = Path(source).expanduser()
    if str(source) == "digits" and not path.exists():
        return DigitsData("digits")
    if path.is_dir():
        return FolderData("folder", str(path.absolute()), validation)
    if path.is_file() and path.suffix.lower() in _TABLES:
        return TableData("table", str(path.absolute()), validation)
    found = "a file of another kind" if path.exists() else "nothing"
    expected = "a folder of pictures or a .csv or .jsonl file"
    raise DataError(f"{source}: expected {expected}, found {found}")


def read_splits(data: Data, *, evaluating: bool = False) -> Splits:
    """The pictures, split: to train on, or only to measure a network on (`evaluating`).

    To train on them, the classes are those of the training part, and at least two. To measure a
    network, they are those of all the parts, and there may be one class or no training part.

    Raises:
        DataError: they cannot be read, or there is nothing to train on or measure with.
    """
    if isinstance(data, DigitsData):
        splits = read_digits(data)
    elif isinstance(data, FolderData):
        splits = read_folder(data, evaluating=evaluating)
    else:
        splits = read_table(data, evaluating=evaluating)
    if evaluating and not any(map(len, (splits.train, splits.validation, splits.test))):
        raise DataError("the data is empty")
    if not evaluating and not len(splits.train):
        raise DataError("the training part is empty")
    return splits
