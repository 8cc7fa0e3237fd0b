"""Fine-tuning, whatever the task: one pipeline from what the user says to a run's folder.

    finetune --planning--> Recipe --session--> Session --memory, epochs--> Trainer
             --results--> the run's folder, with its page

`steps/` is what MindSpore computes, `several/` what several processes of one run have to do with
each other. The task (`zoohub.tasks`) reads, prepares, mixes, measures and shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoohub.models.runs import SavedRun, is_run, open_run
from zoohub.tasks.finding import parse_recipe, read_recipe
from zoohub.tasks.recipe import Recipe, recipe_text

if TYPE_CHECKING:
    from zoohub.training.finetuning import finetune
    from zoohub.training.run import Run, load_run

__all__ = [
    "Recipe",
    "Run",
    "SavedRun",
    "finetune",
    "is_run",
    "load_run",
    "open_run",
    "parse_recipe",
    "read_recipe",
    "recipe_text",
]

_HOMES = {"Run": "run", "finetune": "finetuning", "load_run": "run"}


def __getattr__(name: str) -> Any:
    """Import what needs MindSpore when it is first asked for."""
    import importlib

    if name in _HOMES:
        return getattr(importlib.import_module(f"zoohub.training.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
