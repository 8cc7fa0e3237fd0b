"""Predictions in the forms that other programs take."""

from __future__ import annotations

from zoohub.errors import UsageError
from zoohub.models.class_names import class_names, coco_category_ids
from zoohub.predicting.chains import AnyPredictor
from zoohub.tasks.contract import AnyTask
from zoohub.tasks.finding import all_tasks
from zoohub.tasks.results import AnyPrediction, Json


def known_formats() -> tuple[str, ...]:
    """Those of any task."""
    return tuple(sorted({name for task in all_tasks() for name in task.formats}))


def check_format(task: AnyTask, name: str) -> None:
    """That a task's results have this form.

    Raises:
        UsageError: they do not.
    """
    if name not in task.formats:
        raise UsageError(f"the results of {task.name} have no form {name!r}; leave --format out")


def formatted(predictor: AnyPredictor, prediction: AnyPrediction, name: str) -> list[Json]:
    """The rows of one input's results in the form of that name."""
    own = predictor.names == class_names("coco-2017")
    return predictor.task.formatted(name, prediction, coco_category_ids() if own else None)
