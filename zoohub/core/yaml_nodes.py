"""YAML text as PyYAML's tree of nodes, which know the lines they come from, and complaints that
name them."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from zoohub.core.yaml_reader import plain_events
from zoohub.errors import RecipeError

# The name of a text written by the program from an option's value: nobody sees its lines.
_OPTIONS = "options"


def parse(text: str, name: str) -> yaml.Node:
    """The node tree of YAML `text`; `name` (a file's) appears in every error.

    Raises:
        RecipeError: the text is empty or not YAML.
    """
    try:
        loader = yaml.SafeLoader(text)
    except yaml.reader.ReaderError as error:  # it checks all of the characters at once
        place = _place(name, text.count("\n", 0, error.position))
        raise RecipeError(
            f"{place}: not valid YAML: the character {text[error.position]!r}; remove it"
        ) from None
    loader.name = name
    try:
        for _ in plain_events(text, name, RecipeError, tags=True):
            pass  # refuses what no file of ours may use
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _place(name, mark.line if mark else 0)
        raise RecipeError(f"{place}: not valid YAML: {error.problem}") from None
    except RecursionError:
        raise RecipeError(f"{name}: nested too deeply") from None
    finally:
        loader.dispose()
    if node is None:
        raise RecipeError(f"{_place(name, 0)}: the file is empty")
    return node


def override(root: yaml.Node, assignments: Sequence[str]) -> None:
    """Put `KEY.KEY=VALUE` assignments (of `--set`) into the tree; VALUE is YAML.

    A lone text is one assignment.

    Raises:
        RecipeError: an assignment is malformed or goes through something that is no mapping.
    """
    for assignment in [assignments] if isinstance(assignments, str) else assignments:
        path, equals, text = assignment.partition("=")
        origin = f"--set {assignment}"
        if not equals or not path.strip():
            raise RecipeError(f"{origin}: write KEY=VALUE, e.g. optimizer.lr=0.01")
        node = root
        *parents, last = path.strip().split(".")
        for key in parents:
            below = child(node, key, origin)
            if below is None or below.tag == "tag:yaml.org,2002:null":
                below = parse("{}", origin)
                _put(node, key, below, origin)
            node = below
        _put(node, last, parse(text or "null", origin), origin)


def where(node: yaml.Node, key: str) -> str:
    """What a complaint of the value at `key` begins with: its file, line and key."""
    mark = node.start_mark
    if mark.name == _OPTIONS and key:
        return key
    place = _place(mark.name, mark.line)
    return f"{place}: {key}" if key else place


def _place(name: str, line: int) -> str:
    """A file with its line, counted from 0 here; what came from an option has none."""
    return name if name.startswith("--set") or name == _OPTIONS else f"{name}:{line + 1}"


class Misfit(RecipeError):
    """A value at `node` that is something else than `expected`."""

    def __init__(self, message: str, node: yaml.Node, expected: str) -> None:
        super().__init__(message)
        self.node = node
        self.expected = expected


def fail(node: yaml.Node, key: str, expected: str) -> Misfit:
    """The complaint that the value at `key` is something else than `expected`."""
    if isinstance(node, yaml.ScalarNode):
        found = repr(node.value) if node.value else "nothing"
    else:
        found = "a mapping" if isinstance(node, yaml.MappingNode) else "a list"
    said = f"{where(node, key)}: expected {expected}, found {found}"
    return Misfit(said, node, expected)


def child(node: yaml.Node, key: str, origin: str) -> yaml.Node | None:
    """The value of `key` in a mapping, None without. Raises RecipeError: it is no mapping."""
    if not isinstance(node, yaml.MappingNode):
        raise RecipeError(f"{origin}: what comes before {key!r} is no mapping")
    return next((value for name, value in node.value if name.value == key), None)


def _put(node: yaml.Node, key: str, value: yaml.Node, origin: str) -> None:
    child(node, key, origin)
    mark = value.start_mark
    name = yaml.ScalarNode("tag:yaml.org,2002:str", key, mark, mark)
    node.value = [pair for pair in node.value if pair[0].value != key] + [(name, value)]


def name_of(node: yaml.Node, key: str) -> str:
    """A key of the mapping at `key`. Raises RecipeError: it is a list or a mapping itself."""
    if not isinstance(node, yaml.ScalarNode):
        raise fail(node, key, "a key of text")
    return str(node.value)
