"""What predicts with an exported file, by the description that zoohub wrote into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from zoohub.core.notes import note
from zoohub.errors import DataError, ZoohubError
from zoohub.graphs.metadata import Metadata, part_path, read_metadata
from zoohub.manifest.entry import InputContract
from zoohub.models.pretrained import use_device
from zoohub.networks.families import find_family, has_family
from zoohub.outputs.reading import choose_reading
from zoohub.predicting.engines import Engine, check_file_engine
from zoohub.predicting.predictor import Predictor
from zoohub.running import Inputs, MindIRRunner, OnnxRunner, Outputs, Runner, open_runner
from zoohub.settings import Settings
from zoohub.tasks.finding import find_task
from zoohub.tasks.texts import PLAIN, text_contract

T = TypeVar("T")


class _Known(dict[str, T]):
    """What a file has, by name. What a stranger's lacks is said when a task asks for it."""

    def __init__(self, path: Path, kind: str, known: Mapping[str, T]) -> None:
        super().__init__(known)
        self._path, self._kind = path, kind

    def __missing__(self, name: str) -> T:
        raise DataError(
            f"{self._path} has no {self._kind} {name!r}, which its task asks for: export the "
            "network again (zoohub export)"
        )


@dataclass(frozen=True)
class _FileRunner:
    """The runner of a file that may not be what it says."""

    runner: MindIRRunner | OnnxRunner
    path: Path

    @property
    def inputs(self) -> tuple[str, ...]:
        """See `Runner`."""
        return self.runner.inputs

    def run(self, inputs: Inputs) -> Outputs:
        """See `Runner.run`.

        Raises:
            DataError: the file cannot compute what it says it takes.
        """
        try:
            found = self.runner.run(inputs)
        except ZoohubError:
            raise
        except Exception as error:  # each engine raises its own
            given = ", ".join(f"{name} {array.shape}" for name, array in inputs.items())
            why = " ".join(str(error).split())[:300]
            raise DataError(f"{self.path} cannot be run on {given}: {why}") from error
        return _Known(self.path, "output", found)


def open_exported(path: Path, settings: Settings) -> Predictor:
    """The predictor of an exported file.

    Raises:
        DataError: there is no such file, it does not say how its input is made, or is only a part.
        CheckpointCorrupt: it cannot be read. UsageError: its format runs by another engine.
    """
    graph = path.suffix.lower() == ".mindir"
    engine: Engine = "mindspore" if graph else "onnxruntime"
    if settings.engine_asked:
        check_file_engine(path, engine, settings.engine)
    if graph:
        use_device(settings)
    runner = open_runner(path)
    said = read_metadata(path)
    family = find_family(said.family) if said.family and has_family(said.family) else None
    runner = _named(runner, said, family.inputs if family else None)
    if said.input is None or said.task is None:
        raise DataError(
            f"{path} does not say how its input is made; export it again with `zoohub export`, "
            "which writes that into the file"
        )
    in_parts = family is not None and family.parts is not None and family.exports_parts
    undivided = graph and said.whole is None
    if in_parts and not (undivided or said.parts):
        raise DataError(
            f"{path} is one part of an exported network: name the file that `zoohub export` was "
            "asked for, whose name has no part's in it"
        )
    own = family.read_outputs() if family else None
    read = choose_reading(said.outputs, decoding=said.decoding, own=own)
    task = find_task(said.task)
    parts: dict[str, Runner] = {name: _open_part(name, path, said) for name in said.parts[:-1]}
    if said.parts:
        parts[said.parts[-1]] = _FileRunner(runner, path)
        parts = _Known(path, "part", parts)
    length = None if said.parts or said.input.text is None else runner.length
    contract = said.input if length is None else _of_length(said.input, length, runner, path)
    whole = _FileRunner(runner, path)
    return Predictor(
        task, whole, read, contract, said.classes, engine, said.confidence, parts, length
    )


def _of_length(contract: InputContract, length: int, runner: Runner, path: Path) -> InputContract:
    """The contract of a file that takes texts of one length: longer ones are cut, shorter ones
    filled up, which a network that takes no mask may read as text."""
    text = text_contract(contract)
    if text.max_length is None and runner.inputs == (PLAIN,):
        note(f"{path.name} takes texts of {length} tokens: what fills shorter ones up counts too")
    return replace(contract, text=replace(text, max_length=length))


def _open_part(name: str, last: Path, said: Metadata) -> Runner:
    """The runner of another part of the network whose last part says `said`."""
    path = part_path(last, name)
    runner = open_runner(path)
    own = read_metadata(path)
    if own.whole != said.whole:  # of older files neither says it
        raise DataError(
            f"{path} and {last} are parts of two networks: put the parts of one export together, "
            "or export it again (zoohub export)"
        )
    if own.part not in (None, name):  # of older files none says it
        raise DataError(
            f"{path} is the part {own.part!r} of the network, under another's name: give each part "
            "its own name again, or export the network again (zoohub export)"
        )
    return _FileRunner(_named(runner, own), path)


def _named(
    runner: MindIRRunner | OnnxRunner, said: Metadata, inputs: tuple[str, ...] | None = None
) -> MindIRRunner | OnnxRunner:
    """A file's runner under the names that it says; `inputs` are its family's. (ONNX keeps its
    own, MINDIR none.)"""
    if isinstance(runner, OnnxRunner):
        return runner
    return runner.named(said.inputs or inputs, said.outputs or None)
