"""The `example.py` beside a task's tests."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoohub.tasks.contract import AnyTask
from zoohub.tasks.finding import find_reader
from zoohub.tasks.recipe import recipe_text
from zoohub.training import Run, finetune


def example_in(folder: str) -> Any:
    """The module `tests/tasks/<folder>/example.py`."""
    file = Path(__file__).parent / folder / "example.py"
    spec = importlib.util.spec_from_file_location(f"example_{folder}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def trained(task: AnyTask, source: Path, folder: Path, network: str, **settings: Any) -> Run:
    """A run of the network, as a recipe's lines say it, on data; `settings` of the recipe."""
    example_contract = settings.pop("contract")
    lr = settings.pop("lr")
    data = find_reader(task, source, "m").describe(source)
    recipe = task.default_recipe("m", None, data, example_contract, 32)
    recipe = replace(recipe, optimizer=replace(recipe.optimizer, lr=lr), **settings)
    text = recipe_text(recipe)
    kept = [line for line in text.splitlines() if not line.startswith(("network:", "input:"))]
    (folder / "recipe.yaml").write_text("\n".join(kept) + network)
    return finetune(folder / "recipe.yaml", output=folder / "run")
