"""Files of other programs, written as results come and put in place when all are there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zoohub.core.atomic import remove_leftovers, replacing
from zoohub.errors import DataError, UsageError
from zoohub.tasks.contract import AnyTask, Document
from zoohub.tasks.finding import all_tasks
from zoohub.tasks.results import AnyPrediction


def known_documents() -> dict[str, Document]:
    """Those of any task, by the option that asks for them."""
    return {name: made for task in all_tasks() for name, made in task.documents.items()}


def check_document(task: AnyTask, name: str) -> None:
    """That a task's results make such a file.

    Raises:
        UsageError: they do not.
    """
    if name not in task.documents:
        raise UsageError(f"the results of {task.name} make no {name} file; leave --{name} out")


def check_new(path: Path) -> None:
    """That nothing is in a document's place: an input, say, or another file of results.

    Raises:
        DataError: there is something.
    """
    if os.path.lexists(path):
        raise DataError(f"{path} is there already: remove it, or name another file")


@contextmanager
def written_to(
    predictions: Iterator[AnyPrediction], document: Document, path: Path
) -> Iterator[Iterator[AnyPrediction]]:
    """The predictions; each that is taken is in the file, which is there when the block ends.

    Raises:
        DataError: the file cannot be written.
    """
    remove_leftovers(path.parent)
    try:
        with replacing(path) as file:

            def taken() -> Iterator[AnyPrediction]:
                for number, prediction in enumerate(predictions, 1):
                    file.write(document.add(number, prediction).encode())
                    yield prediction

            file.write(document.begin().encode())
            yield taken()
            file.write(document.end().encode())
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror or error}") from None
