"""Texts that a language model learns from or is measured on, in windows of tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from zoohub.core.counting import counted
from zoohub.core.json_reader import parse_json
from zoohub.core.paths import expanded
from zoohub.core.text_reader import is_file, lines_of, read_text_file
from zoohub.errors import DataError
from zoohub.inputs.text.shipped import named_vocabulary
from zoohub.inputs.text.subwords import SubWords, read_subwords
from zoohub.manifest.entry import TextContract
from zoohub.tasks.contract import Reader
from zoohub.tasks.generation.recipe import Passages
from zoohub.tasks.generation.windows import Passage, windows
from zoohub.tasks.samples import Samples, Splits, none
from zoohub.tasks.text_files import Values, beginning, part_of, parted, usable

VOCABULARY = "tokenizer.json"


class PassagesReader(Reader[Passages, None]):
    """See `Passages`."""

    data = Passages
    says = "a .txt, or a .jsonl of `text` or token ids"

    def claims(self, source: Path) -> bool:
        """See `Reader`."""
        if not is_file(source) or source.suffix.lower() not in (".txt", ".jsonl"):
            return False
        if source.suffix.lower() == ".txt":
            return True
        first = beginning(source).lstrip().partition(b"\n")[0]
        return first.startswith(b"[") or b'"text"' in first

    def describe(self, source: Path) -> Passages:
        """See `Reader`."""
        return Passages("passages", str(source.absolute()))

    def read(self, data: Passages, *, measuring: bool = False) -> Splits[None]:
        """See `Reader`; to be measured on, texts stay whole. A text that cannot be used is counted
        in `skipped`."""
        file = expanded(data.path)
        words = _words(file, data.vocab)
        skipped: dict[str, str] = {}
        passages: list[Passage] = []
        parts: list[str | None] = []
        for name, content, row in _contents(file):
            try:
                ids, part = _ids(content, words, name), part_of(row, name)
            except DataError as error:
                skipped[name] = str(error)
                continue
            cut = [ids] if measuring else windows(ids, data.length)
            passages += [Passage(f"{name}#{n}", window) for n, window in enumerate(cut)]
            parts += [part] * len(cut)
        if not passages:
            reason = next(iter(skipped.values()), "it is empty")
            raise DataError(f"{file}: no text can be used: {reason}")
        if any(parts):
            given = parted(samples_of(passages), parts, 0.0, 0, measuring=measuring)
            return usable(Splits((), *given, skipped), file, "text", measuring=measuring)
        kept = 0 if measuring else round(data.validation * len(passages))
        start = max(1, len(passages) - kept)
        validation = samples_of(passages[start:]) if start < len(passages) else none()
        return Splits((), samples_of(passages[:start]), validation, none(), skipped)


def samples_of(passages: Sequence[Passage]) -> Samples[None]:
    """Passages as samples; what is true of them is what stands in them."""
    return Samples(passages, [None] * len(passages), [passage.name for passage in passages])


def _words(file: Path, vocab: str | None) -> SubWords | None:
    beside = file.with_name(VOCABULARY)
    if vocab is None and not is_file(beside):
        return None
    with named_vocabulary(beside if vocab is None else vocab) as path:
        return read_subwords(path, TextContract())


def _contents(file: Path) -> Iterator[tuple[str, object, Values]]:
    """(name, text or ids, the row that has them) of each text."""
    text = read_text_file(file)
    if file.suffix.lower() == ".txt":
        yield str(file), text, {}
        return
    for number, line in enumerate(lines_of(text), 1):
        if line.strip():
            name = f"{file}:{number}"
            row = parse_json(line, name, error=DataError)
            known = row if isinstance(row, dict) else {"text": row}
            yield name, known.get("text"), known


def _ids(content: object, words: SubWords | None, name: str) -> tuple[int, ...]:
    if isinstance(content, str):
        if words is None:
            raise DataError(
                f"{name} is text, which takes the network's vocabulary: put it beside as "
                f"{VOCABULARY}, or give --set data.vocab=FILE; token ids always work"
            )
        ids = words.encode(content)
    elif isinstance(content, list) and all(type(id) is int and id >= 0 for id in content):
        ids = content
    else:
        raise DataError(f"{name}: expected a text or a list of token ids, found {content!r:.40}")
    if len(ids) < 2:
        raise DataError(
            f"{name}: {counted(len(ids), 'token')}, and nothing to be asked for after that"
        )
    return tuple(ids)
