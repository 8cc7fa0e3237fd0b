"""`zoohub index check`: what is wrong with a folder of YAML files, with file and line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from zoohub.core.yaml_reader import Document, read_yaml
from zoohub.errors import ManifestError
from zoohub.manifest.codec import decode_network
from zoohub.manifest.compiled import CheckpointRow, ModelRow, NetworkRow
from zoohub.manifest.entry import NetworkSpec
from zoohub.manifest.family import compile_each, family_file_problem, family_of
from zoohub.manifest.places import yaml_files
from zoohub.manifest.tasks import TASKS
from zoohub.manifest.values import Where

Fits = Callable[[NetworkSpec], "str | None"]
WrongSteps = Callable[[str, str, Iterable[str]], "str | None"]


@dataclass(frozen=True)
class Problem:
    """One thing wrong; `line` is None where it belongs to no line. `str()` is what is printed."""

    file: str
    line: int | None
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else self.message


def check_index(
    folder: Path, fits: Fits | None = None, wrong_steps: WrongSteps | None = None
) -> list[Problem]:
    """Everything wrong with the files of an index; empty if nothing is.

    A model that cannot be compiled gives its first problem only. `fits` says why a network
    definition that zoohub has refuses a spec, None if it fits or zoohub has no such definition;
    `wrong_steps` the same of a pipeline's name, task and steps.
    """
    check = _Check(folder, fits, wrong_steps)
    for file in yaml_files(folder):
        check.file(file)
    check.names()
    return sorted(check.problems, key=lambda p: (p.file, p.line or 0, p.message))


@dataclass
class _Check:
    folder: Path
    fits: Fits | None
    wrong_steps: WrongSteps | None = None
    problems: list[Problem] = field(default_factory=list)
    # name -> where it is used, as (model, document, line)
    models: dict[str, tuple[str, int]] = field(default_factory=dict)
    aliases: list[tuple[str, str, str, int]] = field(default_factory=list)
    urls: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    families: dict[str, str] = field(default_factory=dict)
    uids: dict[tuple[str, str], tuple[str, str, int]] = field(default_factory=dict)
    firm: set[str] = field(default_factory=set)
    clashes: list[tuple[str, Problem]] = field(default_factory=list)
    steps: list[tuple[str, str, str, int]] = field(default_factory=list)
    pipelines: set[str] = field(default_factory=set)

    def file(self, file: Path) -> None:
        shown = str(file) if file == self.folder else str(file.relative_to(self.folder.parent))
        try:
            document = read_yaml(file, name=shown)
        except ManifestError as error:
            self.problems.append(_from_error(shown, error))
            return
        models, errors = compile_each(document)
        self.problems.extend(_from_error(shown, error) for error in errors)
        if errors and not models:
            return
        if file != self.folder:
            problem = family_file_problem(file.parent.name, file.stem, document)
            if problem:
                self._add(document, (), problem)
        family = family_of(document)
        if family in self.families:
            self._add(document, ("family",), f"{family!r} is in {self.families[family]} too")
        self.families[family] = shown
        for model in models:
            self._model(document, model)

    def _add(self, document: Document, where: Where, message: str) -> None:
        self.problems.append(Problem(document.file, document.line(where), message))

    def _model(self, document: Document, model: ModelRow) -> None:
        name = model["model"]
        where: Where = ("models", name)
        if name in self.models:
            file, line = self.models[name]
            self._add(document, where, f"the model {name!r} is at {file}:{line} too")
        self.models[name] = (document.file, document.line(where))
        if model["task"] not in TASKS:
            self._add(document, (*where, "task"), f"unknown task {model['task']!r}")
        for alias in model.get("aliases", ()):
            line = document.line((*where, "aliases"))
            self.aliases.append((alias, name, document.file, line))
        for step, reference in model.get("steps", {}).items():
            line = document.line((*where, "steps", step))
            self.steps.append((name, reference, document.file, line))
            self.pipelines.add(name)
        if "steps" in model and self.wrong_steps is not None:
            refusal = self.wrong_steps(name, model["task"], model["steps"])
            if refusal:
                self._add(document, (*where, "steps"), refusal)
        self.firm.update(model.get("published", ()))
        self._network(document, (*where, "network"), name, model.get("network"))
        for checkpoint in model.get("checkpoints", ()):
            self._checkpoint(document, model, checkpoint)

    def _checkpoint(self, document: Document, model: ModelRow, checkpoint: CheckpointRow) -> None:
        name = f"{model['model']}@{checkpoint['id']}"
        where: Where = ("models", model["model"], "checkpoints", checkpoint["id"])
        if "task" in checkpoint and checkpoint["task"] not in TASKS:
            self._add(document, (*where, "task"), f"{name}: unknown task {checkpoint['task']!r}")
        if "network" in checkpoint:
            self._network(document, (*where, "network"), name, checkpoint["network"])
        for url in checkpoint["sources"]:
            line = _url_line(document, where, checkpoint, url)
            if url.startswith("http://"):
                message = f"{name}: {url} is plain http; give an https source"
                self.problems.append(Problem(document.file, line, message))
            if url in self.urls and self.urls[url][0] != name:
                other, file, there = self.urls[url]
                message = f"{name}: {url} is a source of {other} too ({file}:{there})"
                self.problems.append(Problem(document.file, line, message))
            self.urls[url] = (name, document.file, line)
        for number, record in enumerate(checkpoint.get("records", ())):
            line = document.line((*where, "records", number))
            key = (record["uid"], checkpoint["format"])
            if key in self.uids and self.uids[key][0] != name:
                other, file, there = self.uids[key]
                message = (
                    f"{name}: the published name {key[0]!r} stands for {other} too "
                    f"({file}:{there}); say under `published` which one it means"
                )
                self.clashes.append((key[0], Problem(document.file, line, message)))
            self.uids[key] = (name, document.file, line)

    def _network(
        self, document: Document, where: Where, name: str, value: NetworkRow | None
    ) -> None:
        spec = decode_network(value)
        refusal = self.fits(spec) if spec is not None and self.fits is not None else None
        if refusal:
            self._add(document, where, f"{name}: {refusal}")

    def names(self) -> None:
        """What can only be seen when all files are read."""
        by_alias: dict[str, tuple[str, str, int]] = {}
        for alias, model, file, line in self.aliases:
            if alias in self.models and alias != model:
                there = ":".join(map(str, self.models[alias]))
                message = f"{model}: the alias {alias!r} is a model of its own ({there})"
                self.problems.append(Problem(file, line, message))
            elif alias in by_alias and by_alias[alias][0] != model:
                other = by_alias[alias]
                message = f"{model}: the alias {alias!r} means {other[0]} too ({other[1]})"
                self.problems.append(Problem(file, line, message))
            by_alias[alias] = (model, file, line)
        self.problems.extend(problem for uid, problem in self.clashes if uid not in self.firm)
        for name, reference, file, line in self.steps:
            step = reference.partition("@")[0]
            if step not in self.models or step in self.pipelines:
                why = "is a pipeline itself" if step in self.pipelines else "is not in this index"
                self.problems.append(Problem(file, line, f"{name}: its step {reference!r} {why}"))


def _url_line(document: Document, where: Where, checkpoint: CheckpointRow, url: str) -> int:
    for number, record in enumerate(checkpoint.get("records", ())):
        if record["url"] == url:
            return document.line((*where, "records", number, "url"))
    return document.line((*where, "sources"))


def _from_error(file: str, error: ManifestError) -> Problem:
    """The file and line out of a message that begins with them."""
    text = str(error)
    if text.startswith(f"{file}:"):
        line, _, message = text[len(file) + 1 :].partition(":")
        if line.isdigit():
            return Problem(file, int(line), message.strip())
        return Problem(file, None, text)
    return Problem(file, None, text)
