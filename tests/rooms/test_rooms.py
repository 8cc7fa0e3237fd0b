"""The house keeps to its plan (design section 1): who may import whom, and what a module may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter

import pytest

from tests.rooms.source import (
    HOME,
    count_any,
    functions,
    imported,
    mindspore_imports,
    modules,
    parameters,
)
from zoohub.manifest.tasks import TASKS
from zoohub.networks.families import family_names, find_family

LONGEST_MODULE = 350
MOST_PARAMETERS = 8
# `Any` in signatures, in the whole package; it may only become less.
MOST_ANY = 64

# Where MindSpore may be imported: at once, or only in functions, when a network is really there.
AT_ONCE = {"networks", "graphs", "training", "exporting"}
LAZILY = {"running", "models", "tasks", "predicting", "api", "demo", "doctor", "cli"}

PUBLIC = {"predicting/measuring.py", "training/finetuning.py"}  # `zoohub.evaluate`, `finetune`


def test_a_room_imports_only_from_rooms_below_it() -> None:
    pytest.importorskip("importlinter")
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", command, "--no-cache"],
        cwd=HOME.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_modules_import_each_other() -> None:
    """In functions and for types neither: what both need belongs below them."""
    order = TopologicalSorter({module.path: imported(module) for module in modules()})
    order.prepare()  # raises CycleError, which names them


def test_mindspore_is_imported_where_the_plan_says() -> None:
    wrong = []
    for module in modules():
        at_once, ever = mindspore_imports(module)
        free = module.path.endswith("/family.py") or module.path in (
            "networks/family.py",
            "networks/families.py",
            "networks/pytorch_names.py",
        )
        allowed_at_once = (
            (module.room in AT_ONCE and not free)
            or module.path == "checkpoint/cell.py"
            or (module.room == "tasks" and module.path.endswith("/loss.py"))
        )
        allowed_ever = allowed_at_once or module.room in LAZILY
        if (at_once and not allowed_at_once) or (ever and not allowed_ever):
            wrong.append(module.path)
    assert wrong == []


def test_no_task_is_named_outside_tasks_manifest_and_families() -> None:
    heads = {head for name in family_names() for head in find_family(name).heads}  # theirs too
    named = {
        module.path
        for module in modules()
        if module.room not in ("tasks", "manifest") and not module.path.endswith("/family.py")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and node.value in TASKS - heads
    }
    assert named == set()


def test_a_module_is_read_in_one_sitting() -> None:
    lengths = {module.path: module.text.count("\n") for module in modules()}
    assert {path: n for path, n in lengths.items() if n > LONGEST_MODULE} == {}


def test_options_travel_as_one() -> None:
    """Except from users: `zoohub.api`, and networks' builders, whose arguments `load` takes."""
    crowded = {
        f"{module.path}:{function.name}"
        for module in modules()
        for function in functions(module)
        if len(parameters(function)) > MOST_PARAMETERS and not _is_public(module.path, function)
    }
    assert crowded == set()


def _is_public(path: str, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    builder = path.startswith("networks/") and path.count("/") > 1
    return (
        path == "api.py"
        or builder
        or (path in PUBLIC and function.name in ("evaluate", "finetune"))
    )


def test_signatures_say_what_they_take() -> None:
    assert sum(map(count_any, modules())) <= MOST_ANY


def test_json_and_yaml_are_read_in_one_place_each() -> None:
    """With limits, lines and cures: whatever else reads them would lack one of these."""
    homes = {
        "json": {"core/json_reader.py"},
        # The tree of nodes, for recipes and for editing, over the reader's own events.
        "yaml": {"core/yaml_reader.py", "core/yaml_nodes.py", "core/yaml_editing.py"},
    }
    readers = {"load", "loads", "load_all", "safe_load", "safe_load_all", "full_load", "compose"}
    readers |= {"unsafe_load", "parse", "scan", "JSONDecoder", "SafeLoader", "CSafeLoader"}
    elsewhere = {
        f"{module.path}: {ast.unparse(node)}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.attr in readers
        and node.value.id in homes
        and module.path not in homes[node.value.id]
    }
    assert elsewhere == set()
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom):
                assert node.module not in homes, module.path
