"""Fine-tuning and evaluation: recipes, data, the training loop and what a run leaves behind.

    recipe --open_session--> Session --run_session--> Trainer --finish--> a run's folder

`finetune` and `evaluate` import MindSpore when they are called for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoohub.training.recipe import Recipe, parse_recipe, read_recipe, recipe_text
from zoohub.training.saved import SavedRun, is_run, open_run

if TYPE_CHECKING:
    from zoohub.training.evaluating import evaluate
    from zoohub.training.finetuning import finetune
    from zoohub.training.run import Run, load_run

__all__ = [
    "Recipe",
    "Run",
    "SavedRun",
    "evaluate",
    "finetune",
    "is_run",
    "load_run",
    "open_run",
    "parse_recipe",
    "read_recipe",
    "recipe_text",
]


def __getattr__(name: str) -> Any:
    if name == "evaluate":
        from zoohub.training.evaluating import evaluate

        return evaluate
    if name == "finetune":
        from zoohub.training.finetuning import finetune

        return finetune
    if name in ("Run", "load_run"):
        from zoohub.training import run

        return getattr(run, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
