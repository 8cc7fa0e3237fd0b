"""Questions with their answers, read from a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoohub.core.json_reader import parse_json
from zoohub.core.paths import expanded
from zoohub.core.text_reader import is_file, read_text_file
from zoohub.errors import DataError
from zoohub.inputs.text.tokenizer import Tokenizer
from zoohub.tasks.contract import Reader
from zoohub.tasks.question_answering.recipe import Questions
from zoohub.tasks.question_answering.rows import Passage, of_ids, of_texts
from zoohub.tasks.samples import Samples, Splits
from zoohub.tasks.text_files import (
    Values,
    beginning,
    ids_in,
    keys_of,
    need_words,
    part_of,
    parted,
    rows_of_file,
    usable,
)
from zoohub.tasks.texts import tokenizer_beside


@dataclass(frozen=True, slots=True)
class Truth:
    """The right answers of a question, none where it has none; and the first of them as tokens of
    the context (first, last)."""

    texts: tuple[str, ...] = ()
    tokens: tuple[int, ...] = ()


class QuestionsReader(Reader[Questions, Truth]):
    """See `Questions`."""

    data = Questions
    says = "a SQuAD .json, or a .jsonl, .csv or .tsv of `question`, `context` and `answers`"

    def claims(self, source: Path) -> bool:
        """See `Reader`."""
        if source.suffix.lower() == ".json" and is_file(source):
            return b'"paragraphs"' in beginning(source)
        return {"question", "context"} <= keys_of(source)

    def describe(self, source: Path) -> Questions:
        """See `Reader`."""
        return Questions("questions", str(source.absolute()))

    def read(self, data: Questions, *, measuring: bool = False) -> Splits[Truth]:
        """See `Reader`; a question that cannot be used is counted in `skipped`."""
        file = expanded(data.path)
        tokenizer = tokenizer_beside(file, data.vocab)
        passages: list[Passage] = []
        truths: list[Truth] = []
        parts: list[str | None] = []
        skipped: dict[str, str] = {}
        rows = _squad_rows(file) if file.suffix.lower() == ".json" else rows_of_file(file)
        for name, row in rows:
            try:
                passage, part = _passage(row, name, tokenizer), part_of(row, name)
                truth = _truth(row, passage)
            except DataError as error:
                skipped[name] = str(error)
                continue
            passages.append(passage)
            truths.append(truth)
            parts.append(part)
        found = Samples(passages, truths, [passage.name for passage in passages])
        cut = parted(found, parts, data.validation, data.seed, measuring=measuring)
        return usable(Splits((), *cut, skipped), file, "question", measuring=measuring)


def _squad_rows(file: Path) -> Iterator[tuple[str, Values]]:
    """The questions of SQuAD's form, called by the file and their ids."""
    document = parse_json(read_text_file(file), str(file), error=DataError)
    for article in _list(document, "data", file):
        for paragraph in _list(article, "paragraphs", file):
            for number, asked in enumerate(_list(paragraph, "qas", file)):
                row = asked if isinstance(asked, Mapping) else {}
                context = paragraph.get("context") if isinstance(paragraph, Mapping) else None
                answers = [] if row.get("is_impossible") is True else row.get("answers")
                yield f"{file}#{row.get('id', number)}", {
                    **row, "context": context, "answers": answers,
                }  # fmt: skip


def _list(value: object, key: str, file: Path) -> Sequence[object]:
    found = value.get(key) if isinstance(value, Mapping) else None
    if not isinstance(found, list):
        raise DataError(f"{file}: expected SQuAD's list `{key}`, found {found!r:.40}")
    return found


def _passage(row: Values, name: str, tokenizer: Tokenizer | None) -> Passage:
    question, context = row.get("question"), row.get("context")
    if isinstance(question, str) and isinstance(context, str):
        if not question.strip() or not context.strip():
            raise DataError(f"{name}: an empty question or context")
        if tokenizer is None:
            raise need_words(name)
        return of_texts(name, question, context, tokenizer)
    asked, given = ids_in(question), ids_in(context)
    if asked is None or given is None:
        raise DataError(
            f"{name}: expected `question` and `context`, both texts or both lists of token ids"
        )
    return of_ids(name, asked, given)


def _truth(row: Values, passage: Passage) -> Truth:
    """The right answers of a row. Raises DataError: one does not stand in the context."""
    spans = [_span(answer, passage) for answer in _answers(row, passage.name)]
    if not spans:
        return Truth()
    texts = tuple(dict.fromkeys(text for text, *_ in spans))
    _, start, end = spans[0]
    inside = [
        place for place, (a, b) in enumerate(passage.spans) if a < end and b > start and b > a
    ]
    if not inside:
        raise DataError(f"{passage.name}: the answer {texts[0]!r:.40} is made of no token")
    return Truth(texts, (inside[0], inside[-1]))


def _answers(row: Values, name: str) -> list[object]:
    """Each answer as a text or a mapping."""
    found = row.get("answers") or row.get("answer")
    if not found:
        return []
    if isinstance(found, str) and row.get("answer_start") is not None:
        return [{"text": found, "answer_start": row["answer_start"]}]
    if isinstance(found, Mapping) and isinstance(found.get("text"), list):
        texts, starts = found["text"], found.get("answer_start")
        if not isinstance(starts, list) or len(starts) != len(texts):
            raise DataError(f"{name}: expected as many `answer_start` as `text` in `answers`")
        return [{"text": text, "answer_start": at} for text, at in zip(texts, starts, strict=True)]
    return found if isinstance(found, list) else [found]


def _span(answer: object, passage: Passage) -> tuple[str, int, int]:
    """(text, start, end) of an answer. Raises DataError: it is none of the context."""
    known = answer if isinstance(answer, Mapping) else {"text": answer}
    if passage.text is None:
        start, end = known.get("start"), known.get("end")
        last = len(passage.spans)
        if type(start) is int and type(end) is int and 0 <= start < end <= last:
            return passage.said(start, end - 1)
        raise DataError(f"{passage.name}: expected `start` and `end`, tokens from 0 to {last}")
    text, at = known.get("text"), known.get("answer_start")
    if not isinstance(text, str) or not text.strip():
        raise DataError(f"{passage.name}: expected an answer's text, found {answer!r:.40}")
    if isinstance(at, str) and at.strip().isdecimal():  # as a .csv has it
        at = int(at)
    if type(at) is not int or passage.text[at : at + len(text)] != text:
        at = passage.text.find(text)
    if at < 0:
        raise DataError(f"{passage.name}: the answer {text!r:.40} does not stand in the context")
    return text, at, at + len(text)
