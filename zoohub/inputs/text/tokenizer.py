"""Text cut as encoders read it: WordPiece from a `vocab.txt`, or what a `tokenizer.json` says.

Both are computed by Hugging Face's `tokenizers` (extra `zoohub[text]`). A vocab.txt has a token a
line, whose number (from 0) is its id; `##` begins a piece that goes on a word (Wu et al., "Google's
Neural Machine Translation System", 2016), `[CLS]` and `[SEP]` stand around a text. It does not say
whether text is lowered: it is, with accents taken off, where hardly a token has a capital letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoohub.core.text_reader import read_text_file
from zoohub.errors import DataError, ZoohubError
from zoohub.inputs.text.refusals import refusals, whole

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Engine

START, END, UNKNOWN = "[CLS]", "[SEP]", "[UNK]"
MASKS = ("[MASK]", "<mask>", "<special1>")  # BERT's, RoBERTa's, XLM's
_CASED = 0.01  # share of tokens with a capital letter; uncased vocabularies have none to speak of


@dataclass(frozen=True, slots=True)
class Pieces:
    """A text in tokens: their `ids`; of each the characters `spans[i]` (begin, end) of the text,
    and the number of its word, None of the marks that stand around a text."""

    ids: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    words: tuple[int | None, ...]


@dataclass(frozen=True)
class Tokenizer:
    """What cuts text; `size` is one more than its largest id."""

    engine: Engine
    size: int

    def encode(self, text: str) -> list[int]:
        """The ids of a text, with the marks that stand around it. Raises DataError: it cannot be
        cut."""
        with refusals(f"{text!r:.60} cannot be cut by this vocabulary"):
            ids: list[int] = self.engine.encode(whole(text)).ids
        return ids

    def pieces(self, text: str | Sequence[str]) -> Pieces:
        """A text, or its words, in tokens with the marks around it; of words given, the spans are
        in each word. Raises DataError: it cannot be cut."""
        words = not isinstance(text, str)
        with refusals(f"{text!r:.60} cannot be cut by this vocabulary"):
            whole(text if isinstance(text, str) else " ".join(text))
            found = self.engine.encode(list(text) if words else text, is_pretokenized=words)
        return Pieces(tuple(found.ids), tuple(found.offsets), tuple(found.word_ids))

    def spell(self, ids: Sequence[int]) -> str:
        """The text of ids, without marks."""
        with refusals("this vocabulary cannot spell tokens"):
            text: str = self.engine.decode(list(ids))
        return text

    def mask(self) -> int | None:
        """The id that stands for a word left out; None: this vocabulary has none."""
        return next((id for mark in MASKS if (id := self.id(mark)) is not None), None)

    def token(self, id: int) -> str | None:
        """The token of an id; None where there is none."""
        token: str | None = self.engine.id_to_token(id)
        return token

    def id(self, token: str) -> int | None:
        """The id of a token; None where there is none."""
        id: int | None = self.engine.token_to_id(token)
        return id


def read_tokenizer(path: Path, vocab_size: int | None = None) -> Tokenizer:
    """The tokenizer in a `vocab.txt` or `.json`, for a network with a table of `vocab_size` words.

    Raises:
        ZoohubError: tokenizers is not installed.
        DataError: the file cannot be read, is no vocabulary, or has more tokens than the network.
    """
    text = read_text_file(path)
    try:
        import tokenizers  # noqa: F401
    except ImportError:
        raise ZoohubError("cutting text needs tokenizers: pip install 'zoohub[text]'") from None
    if path.suffix.lower() == ".json":
        found = _of_json(path, text)
    else:
        found = _of_words(path, text)
    if vocab_size is not None and found.size > vocab_size:
        raise DataError(
            f"{path} has ids up to {found.size - 1}, the network's table only {vocab_size} words; "
            "give the vocabulary that it was trained with"
        )
    return found


def _of_json(path: Path, text: str) -> Tokenizer:
    from tokenizers import Tokenizer as Engine

    with refusals(f"{path}: no tokenizer of Hugging Face's"):
        engine = Engine.from_str(text)
    # Lengths are this package's own affair.
    engine.no_truncation()
    engine.no_padding()
    return Tokenizer(engine, max(engine.get_vocab(True).values(), default=-1) + 1)


def _of_words(path: Path, text: str) -> Tokenizer:
    from tokenizers.implementations import BertWordPieceTokenizer

    lines = [line.rstrip("\r") for line in text.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    words: dict[str, int] = {}
    for number, line in enumerate(lines):
        # ERNIE's file has the id in a second column.
        token, _, said = line.partition("\t")
        if said.strip() and said.strip() != str(number):
            raise DataError(f"{path}:{number + 1}: expected the id {number}, found {said!r:.40}")
        words[token.strip()] = number
    for mark in (START, END, UNKNOWN):
        if mark not in words:
            raise DataError(
                f"{path} has no {mark}, so it is no vocab.txt of an encoder; give that, or a "
                "tokenizer.json"
            )
    lowered = _lowered(words)
    engine = BertWordPieceTokenizer(words, lowercase=lowered, strip_accents=lowered)
    return Tokenizer(engine, len(lines))


def _lowered(words: dict[str, int]) -> bool:
    """Whether text is to be lowered, because hardly a token has a capital letter."""
    plain = [word for word in words if not word.startswith("[")]
    capital = sum(word != word.lower() for word in plain)
    return capital <= _CASED * len(plain)
