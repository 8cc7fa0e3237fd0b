"""What a file of one's own weights says of the network that it was exported from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from zoohub.core.notes import note
from zoohub.errors import DataError
from zoohub.manifest.entry import NESTED_CONTRACTS, InputContract, NetworkSpec
from zoohub.manifest.values import SchemaError, check_class_names
from zoohub.networks.families import find_family, outputs_for

_WITH_TEXTS = (".safetensors", ".pth", ".pt")


@dataclass(frozen=True, slots=True)
class OwnFile:
    """The input contract and the classes that a weights file has in its metadata, where `zoohub
    export` wrote it and knew them; else None."""

    input: InputContract | None = None
    classes: tuple[str, ...] | None = None

    def spec(self, spec: NetworkSpec, known: InputContract | None) -> NetworkSpec:
        """The network for pictures of the file's size, where it is made for one size of them;
        `known` is the contract that `spec` goes with."""
        size = self.input.size if self.input else None
        if size is None or size[0] != size[1] or (known is not None and known.size == size):
            return spec
        if "image_size" not in find_family(spec.builder).arguments:
            return spec
        return spec.with_arguments({"image_size": size[0]})

    def fitting(self, spec: NetworkSpec, asked: int | None) -> OwnFile:
        """What goes for a network with `asked` classes, or as many as `spec` says: without the
        file's classes where these are of another number."""
        if self.classes is None:
            return self
        known = spec.arguments.get(find_family(spec.builder).classes_argument)
        outputs = known if asked is None else outputs_for(spec, asked)
        fits = outputs is None or outputs == outputs_for(spec, len(self.classes))
        return self if fits else replace(self, classes=None)


def read_own_file(file: Path | None, spec: NetworkSpec | None) -> OwnFile:
    """What `file` says of itself; nothing, where it is not there (loading it says so), is of a
    format that holds no texts, or comes from another family than `spec` is of.

    Raises:
        CheckpointError: as `open_weights`. DataError: what zoohub wrote into it is damaged.
    """
    if file is None or file.suffix.lower() not in _WITH_TEXTS or not file.is_file():
        return OwnFile()
    from zoohub.checkpoint.opening import open_weights
    from zoohub.graphs.metadata import Metadata

    said = Metadata.from_strings(open_weights(file, verify=False).texts, str(file))
    if spec is None:
        return OwnFile(said.input, said.classes)
    if said.family not in (None, spec.builder):
        return OwnFile()
    layout = find_family(spec.builder).layout
    if said.input is not None and said.input.layout != layout:
        raise DataError(
            f"{file}: its zoohub metadata says that pictures are {said.input.layout}, but "
            f"{spec.builder} takes {layout}; export the file again"
        )
    return OwnFile(said.input, said.classes)


def say_taken(
    file: Path | None,
    said: OwnFile,
    known: InputContract | None,
    classes: tuple[str, ...] | None,
) -> None:
    """Note that a file's own input or classes are taken, where those that are `known` of the model
    are others."""
    other = said.input is not None and (
        known is None or replace(known, provenance=said.input.provenance) != said.input
    )
    renamed = said.classes is not None and said.classes != classes
    what = " and ".join(name for name, is_so in (("input", other), ("classes", renamed)) if is_so)
    if file is not None and what:
        note(f"{file.name} brings its own {what}, taken in place of the index's")


def index_facts(said: OwnFile, known: InputContract | None = None) -> dict[str, object]:
    """The fields of a checkpoint in an index's YAML that a file of weights tells.

    There a checkpoint's input is merged with its model's, so what that has and the file has not
    (a mean) is null; `known` is the model's.
    """
    facts: dict[str, object] = {}
    if said.input is not None:
        contract = _plain(asdict(said.input))
        for name in NESTED_CONTRACTS.keys() & contract.keys():
            contract[name] = _plain(asdict(getattr(said.input, name)))
        if "text" in contract:
            contract = {"text": contract["text"]}
        inherited = {} if known is None or said.input.text else _plain(asdict(known))
        facts["input"] = {**dict.fromkeys(sorted(inherited.keys() - contract.keys())), **contract}
    if said.classes is not None:
        names = list(said.classes)
        try:
            check_class_names(names, ())
        except SchemaError as error:
            note(f"the class names in the file are left out: {error.message}")
        else:
            facts["class_names"] = names
    return facts


def _plain(value: Mapping[str, object]) -> dict[str, object]:
    return {
        key: list(item) if isinstance(item, tuple) else item
        for key, item in value.items()
        if item is not None
    }
