"""zoohub's own source as syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import zoohub

HOME = Path(zoohub.__file__).parent


@dataclass(frozen=True)
class Module:
    """One file: its path below `zoohub/` with slashes, its text and tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.path.split("/")[0].removesuffix(".py")


@cache
def modules() -> tuple[Module, ...]:
    found = []
    for path in sorted(HOME.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found.append(Module(path.relative_to(HOME).as_posix(), text, ast.parse(text)))
    return tuple(found)


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    """Those a caller gives by name or place: without self and cls, and without * and **."""
    spec = function.args
    every = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    return [arg for arg in every if arg.arg not in ("self", "cls")]


def count_any(module: Module) -> int:
    """How often `Any` stands in the module's signatures."""
    count = 0
    for function in functions(module):
        spec = function.args
        every = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, spec.vararg, spec.kwarg]
        notes = [arg.annotation for arg in every if arg is not None] + [function.returns]
        for note in notes:
            if note is not None:
                count += sum(_is_any(node) for node in ast.walk(note))
    return count


def imported(module: Module) -> set[str]:
    """The paths of zoohub's files that the module imports, wherever in it, types included."""
    paths: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom):
            base = str(node.module)
            paths |= {_path(f"{base}.{alias.name}") or _path(base) for alias in node.names}
        elif isinstance(node, ast.Import):
            paths |= {_path(alias.name) for alias in node.names}
    return paths - {""}


@cache
def _paths() -> frozenset[str]:
    return frozenset(module.path for module in modules())


def _path(name: str) -> str:
    """The path of the module of that name; empty where zoohub has none."""
    stem = name.replace(".", "/").removeprefix("zoohub/")
    return next((path for path in (f"{stem}.py", f"{stem}/__init__.py") if path in _paths()), "")


def mindspore_imports(module: Module) -> tuple[bool, bool]:
    """Whether the module imports MindSpore when it is imported itself, and whether ever."""
    at_once = any(_imports_mindspore(node) for node in _at_import(module.tree))
    ever = at_once or any(
        _imports_mindspore(node) for function in functions(module) for node in ast.walk(function)
    )
    return at_once, ever


def _at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """What runs when a module is imported: neither functions' bodies nor `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from _at_import(node)


def _imports_mindspore(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.level == 0 and (node.module or "").split(".")[0] == "mindspore"
    if isinstance(node, ast.Import):
        return any(alias.name.split(".")[0] == "mindspore" for alias in node.names)
    return False


def _is_any(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value == "Any"
    return isinstance(node, ast.Name) and node.id == "Any"
