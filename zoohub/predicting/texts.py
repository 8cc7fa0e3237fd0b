"""What is known to be wrong with texts before a network, which may be large, is fetched."""

from __future__ import annotations

from zoohub.errors import UsageError
from zoohub.graphs.metadata import read_metadata
from zoohub.inputs.text import Sentence
from zoohub.manifest.entry import InputContract, NetworkSpec
from zoohub.models.pretrained import meant
from zoohub.settings import Settings
from zoohub.tasks.finding import task_for


def check_texts(model: str, text: str, settings: Settings, *, vocabulary: bool) -> None:
    """That a network (a reference, a run, an exported file) reads a text; `vocabulary` says whether
    one is given.

    Raises:
        UsageError: it reads none. DataError: its vocabulary is needed, or zoohub has no such task.
        As `zoohub.predict` for the name.
    """
    name, contract, network = _known(model, settings)
    task = task_for(name, network)
    if task.kind != "text":
        raise UsageError(f"--text is for networks that read text; {model} is for {task.name}")
    if network is not None:
        task.check_network(network)
    if contract is not None and not vocabulary:
        task.prepare(contract)(Sentence(text, text=text))


def _known(model: str, settings: Settings) -> tuple[str, InputContract | None, NetworkSpec | None]:
    """The task, the input contract and the definition of a network, as far as they are said."""
    if model.lower().endswith((".onnx", ".mindir")):
        said = read_metadata(model)
        return said.task or "", said.input, None
    resolved, _, _ = meant(model, settings)
    checkpoint, entry = resolved.checkpoint, resolved.entry
    contract = (checkpoint.input if checkpoint else None) or entry.input
    network = (checkpoint.network if checkpoint else None) or entry.network
    return entry.task, contract, network
