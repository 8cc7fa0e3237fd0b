"""A graph followed node by node, into the functions it calls.

MindSpore turns Python's `if` into functions and a switch between them. Where the question can be
answered while converting (is there a -2 in this shape?), the branch that is taken is followed as
if it stood there; where only the input can answer it, ONNX export ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from zoohub.errors import ExportError
from zoohub.graphs.graph import CALL, Graph, Node
from zoohub.graphs.onnx_builder import OnnxBuilder, Value
from zoohub.graphs.operators import Call, find_converter

_CONTROL = frozenset((CALL, "Partial", "Switch"))
_DEEPEST = 200


@dataclass(frozen=True, slots=True)
class Bound:
    """A function with its first inputs."""

    function: str
    inputs: tuple[Value, ...] = ()


@dataclass(slots=True)
class Walk:
    """Converts nodes; `values` are what they and their constants gave, by name."""

    graph: Graph
    build: OnnxBuilder
    values: dict[str, Value]
    depth: int = 0

    def follow(self, nodes: Iterable[Node]) -> None:
        """Convert nodes in order.

        Raises:
            ExportError: an operator the conversion lacks, or a branch that depends on the input.
        """
        for node in nodes:
            operands = tuple(map(self._operand, node.inputs))
            if node.op == "Partial":
                first, *others = operands
                self.values[node.name] = Bound(first.function, (*first.inputs, *others))
            elif node.op == "Switch":
                self.values[node.name] = self._branch(*operands)
            elif node.op == CALL:
                first, *others = operands
                self.values[node.name] = self._call(first, tuple(others))
            else:
                convert = find_converter(node.op)
                assert convert is not None
                self.values[node.name] = convert(Call(self.build, node, operands))

    def _operand(self, name: str) -> Value:
        return Bound(name) if name in self.graph.functions else self.values[name]

    def _branch(self, question: Value, taken: Value, other: Value) -> Value:
        if not isinstance(question, bool):
            raise ExportError(
                "the network's control flow depends on its input (its graph has "
                f"{len(self.graph.functions)} subgraphs), which only MINDIR can hold"
            )
        return taken if question else other

    def _call(self, called: Value, inputs: tuple[Value, ...]) -> Value:
        if not isinstance(called, Bound) or self.depth > _DEEPEST:
            raise ExportError("the network's graph calls what is no function; report this")
        function = self.graph.functions[called.function]
        check_operators(function.nodes)
        self.values |= zip(function.inputs, (*called.inputs, *inputs), strict=True)
        self.depth += 1
        self.follow(function.nodes)
        self.depth -= 1
        return self._operand(function.output)


def check_operators(nodes: Iterable[Node]) -> None:
    """See that all operators can be converted.

    Raises:
        ExportError: some cannot; they are named.
    """
    missing = {node.op for node in nodes if node.op not in _CONTROL}
    lacking = sorted(op for op in missing if find_converter(op) is None)
    if lacking:
        raise ExportError(
            f"the ONNX conversion lacks MindSpore's {', '.join(lacking)}; export to mindir "
            "instead, or add them to zoohub/graphs/operators/"
        )
