"""What is known of whatever predicts before a network, which may be large, is fetched."""

from __future__ import annotations

from dataclasses import dataclass

from zoohub.graphs.metadata import read_metadata
from zoohub.manifest.entry import InputContract, NetworkSpec
from zoohub.models.pretrained import meant
from zoohub.predicting.asked import check_own, network_asked
from zoohub.predicting.pipeline_files import is_pipeline_file, read_pipeline_file
from zoohub.settings import Settings
from zoohub.tasks.contract import AnyTask
from zoohub.tasks.finding import task_for


@dataclass(frozen=True)
class Known:
    """Its task, and of one network the input contract and the definition, as far as they are
    said. `filed` is the index's name of the task."""

    task: AnyTask
    filed: str
    input: InputContract | None = None
    network: NetworkSpec | None = None


def known_of(model: str, settings: Settings, task: str | None = None) -> Known:
    """Of a reference, a run, an exported file or an exported pipeline's description; with `task`
    as that takes it.

    Raises:
        DataError: zoohub has no such task, or a file does not say. As `zoohub.predict` for names.
    """
    if is_pipeline_file(model):
        filed = read_pipeline_file(model).task
        own = task_for(filed, None)
        check_own(task, model, own)
        return Known(own, filed)
    if model.lower().endswith((".onnx", ".mindir")):
        said = read_metadata(model)
        filed = said.task or ""
        own = task_for(filed, None)
        check_own(task, model, own)
        return Known(own, filed, said.input)
    resolved, _, _ = meant(model, settings)
    checkpoint, entry = resolved.checkpoint, resolved.entry
    contract = (checkpoint.input if checkpoint else None) or entry.input
    network = (checkpoint.network if checkpoint else None) or entry.network
    network = network_asked(task, model, entry.task, network)
    return Known(task_for(entry.task, network), entry.task, contract, network)
