"""Putting one more key into YAML that people wrote, without touching another character of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import yaml

from zoohub.core.yaml_writer import flow_text, scalar, to_yaml

Path_ = Sequence[str]


def insert(text: str, path: Path_, key: str, value: object) -> str:
    """`text` with `key: value` as the last key of the mapping at `path`, in that mapping's own
    style. Comments, order and quotes of the rest stay as they are.

    Raises:
        ValueError: there is no mapping at `path`, or it is written in a way that cannot be extended
            (as when it is on one line with a comment in it).
    """
    found = _find(yaml.compose(text, Loader=yaml.SafeLoader), path)
    if found is None:
        raise ValueError(f"no mapping at {'.'.join(path)}")
    name, node = found
    if isinstance(node, yaml.ScalarNode) and not node.value:
        return _after(text, _end(name), _block({key: value}, name.start_mark.column + 2))
    if not isinstance(node, yaml.MappingNode):
        raise ValueError(f"{'.'.join(path)} is no mapping")
    if node.flow_style:
        return _into_flow(text, node, key, value)
    first = node.value[0][0].start_mark.column
    return _after(text, _end(node), _block({key: value}, first))


def _find(root: yaml.Node | None, path: Path_) -> tuple[yaml.Node, yaml.Node] | None:
    """The key and the value at `path`; the root is its own key."""
    if root is None:
        return None
    name, node = root, root
    for part in path:
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        found = next(((n, v) for n, v in pairs if n.value == part), None)
        if found is None:
            return None
        name, node = found
    return name, node


def _end(node: yaml.Node) -> yaml.Mark:
    """Where the last character of a node is. A block's own mark lies behind the comments after
    it."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        name, value = node.value[-1]
        is_empty = isinstance(value, yaml.ScalarNode) and not value.value and not value.style
        return _end(name if is_empty else value)
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return _end(node.value[-1])
    return node.end_mark


def _block(value: Mapping[str, object], indent: int) -> list[str]:
    return [" " * indent + line for line in to_yaml(value).splitlines()]


def _after(text: str, mark: yaml.Mark, lines: list[str]) -> str:
    """Lines put in after the line in which `mark` is."""
    at = text.find("\n", max(mark.index - 1, 0) if _ends_a_line(text, mark) else mark.index)
    newline = "\r\n" if "\r\n" in text else "\n"
    if at < 0:
        text, at = text + newline, len(text) + len(newline) - 1
    return text[: at + 1] + "".join(line + newline for line in lines) + text[at + 1 :]


def _ends_a_line(text: str, mark: yaml.Mark) -> bool:
    """Whether a mark lies behind a line's end already, as that of a text of several lines does."""
    return mark.index > 0 and text[mark.index - 1 : mark.index] == "\n"


def _into_flow(text: str, node: yaml.MappingNode, key: str, value: object) -> str:
    close = node.end_mark.index - 1
    if "#" in text[node.start_mark.index : close] and "\n" in text[node.start_mark.index : close]:
        raise ValueError("it is written in braces over several lines with comments")
    at = len(text[:close].rstrip())
    comma = "" if not node.value else " " if text[at - 1] == "," else ", "
    return f"{text[:at]}{comma}{scalar(key, flow=True)}: {flow_text(value)}{text[at:]}"
