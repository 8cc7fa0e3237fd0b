"""The commands that come next for a model, as `zoohub info` ends with them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from zoohub.cli.hints import predict_command
from zoohub.errors import DataError, ZoohubError
from zoohub.manifest.entry import Checkpoint, Entry, InputContract, NetworkSpec
from zoohub.models.describing import is_runnable
from zoohub.networks.families import find_family, has_family
from zoohub.tasks.folders import has_loss

if TYPE_CHECKING:
    from zoohub.tasks.contract import AnyTask


def chain_commands(entry: Entry) -> list[str]:
    """The commands that come next for a pipeline, for copying."""
    first = next(iter(entry.steps))
    return [
        f"  zoohub download {entry.model}",
        f"  zoohub predict {entry.model} page.png",
        f"  zoohub predict {entry.model} page.png --set {first}=NAME",
        f'  pipeline = zoohub.load("{entry.model}", pretrained=True)',
    ]


def commands_of(entry: Entry, shown: Checkpoint | None, run: str | None = None) -> list[str]:
    """The commands that come next, for copying; of a run by its folder's name."""
    if shown is None:
        return ["no checkpoint is published for it"]
    name = run or (entry.model if shown.id == entry.default else shown.reference)
    lines = [f"  zoohub inspect {name}" if run else f"  zoohub download {name}"]
    if is_runnable(shown):
        contract = entry.input_of(shown)
        given = (
            f"zoohub.load({shlex.split(run)[0]!r})"
            if run
            else f'zoohub.load("{name}", pretrained=True)'
        )
        lines.append(f"  net = {given}")
        if contract is not None and contract.text is not None:
            lines += _reading_lines(name, entry, shown, contract)
        elif contract is not None:
            lines.append(f"  zoohub predict {name} picture.jpg")
            if can_learn(entry.task, entry.network_of(shown)):
                lines.append(f"  zoohub finetune {name} --data folder/")
        lines += _export_lines(
            f"  zoohub export {name} --output {shlex.quote(entry.model)}.onnx",
            shown,
            entry,
            contract,
        )
    return lines


def can_learn(task: str, spec: NetworkSpec | None) -> bool:
    """Whether zoohub trains a network of pictures: what the tasks themselves say (a test holds the
    two together), who would be imported for it, and NumPy with them."""
    if spec is None or not has_family(spec.builder):
        return False
    return find_family(spec.builder).loss is not None or has_loss(task)


def _reading_lines(
    name: str, entry: Entry, shown: Checkpoint, contract: InputContract
) -> list[str]:
    """The commands that predict texts, and learn from them; none where no task of zoohub does."""
    from zoohub.tasks.finding import task_for, tasks_of_body

    spec = entry.network_of(shown)
    try:
        task = task_for(entry.task, spec)
        if spec is not None:
            task.check_network(spec)
    except DataError:
        return []
    lines = [f"  {predict_command(name, 'sentences.txt', task, contract)}"]
    if spec is not None and find_family(spec.builder).heads:
        others = tasks_of_body(entry.task, spec)
        commands = [predict_command(name, "sentences.txt", other, contract) for other in others]
        lines += [
            f"  {command} --task {other.name}"
            for command, other in zip(commands, others, strict=True)
        ]
    if spec is not None and _learns_texts(task, spec, contract):
        shipped = contract.text is not None and contract.text.shipped_vocabulary is not None
        vocabulary = "" if shipped else " --set data.vocab=FILE"
        lines.append(f"  zoohub finetune {name} --data DATA{vocabulary}")
    return lines


def _learns_texts(task: AnyTask, spec: NetworkSpec, contract: InputContract) -> bool:
    """Whether zoohub trains a network of texts in that task."""
    try:
        task.check_network(task.network_for(spec), contract)
    except ZoohubError:
        return False
    return bool(task.readers)


def _export_lines(
    command: str, shown: Checkpoint, entry: Entry, contract: InputContract | None
) -> list[str]:
    """The command with what its network must be told besides; none where it cannot be exported."""
    spec = entry.network_of(shown)
    family = None if spec is None else find_family(spec.builder)
    whole = family is None or family.parts is None or not family.exports_parts
    if family is None or family.inputs == ("image",) or not whole:
        return [command]
    longest = contract.text.max_length if contract is not None and contract.text else None
    return [f"{command} --length {min(128, longest or 128)}"] if family.sequences else []
