"""The sub-words of language models, by the libraries that made them: a `tokenizer.json` of
Hugging Face's `tokenizers`, or a SentencePiece `.model` (Kudo and Richardson, "SentencePiece: A
simple and language independent subword tokenizer", 2018).

Both are in the extra `zoohub[text]`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoohub.core.counting import counted
from zoohub.core.text_reader import MAX_TEXT_BYTES, file_bytes
from zoohub.errors import DataError, ZoohubError
from zoohub.inputs.text.refusals import refusals, whole
from zoohub.manifest.entry import TextContract

_ROUNDING = 1024  # large networks have more ids than tokens, up to a round number


@dataclass(frozen=True)
class SubWords:
    """`encode` gives a text's ids, `decode` the text of ids, `size` is one more than the largest
    id."""

    encode: Callable[[str], list[int]]
    decode: Callable[[Sequence[int]], str]
    size: int


def read_subwords(path: Path, contract: TextContract) -> SubWords:
    """The sub-words in a file, held to the network's contract.

    Raises:
        ZoohubError: the library that reads it is not installed.
        DataError: it cannot be read, is of another kind, or has more or far fewer tokens than the
            network.
    """
    readers = {".json": _of_json, ".model": _of_model}
    read = readers.get(path.suffix.lower())
    if read is None:
        raise DataError(f"{path}: expected a tokenizer.json, or a SentencePiece .model")
    words = read(path, file_bytes(path, str(path), DataError, MAX_TEXT_BYTES))
    wanted = contract.vocab_size
    if wanted is not None and not wanted - _ROUNDING < words.size <= wanted:
        raise DataError(
            f"{path} has {counted(words.size, 'token')}, the network {wanted}; give the vocabulary "
            "that it was trained with"
        )
    return words


def _of_json(path: Path, data: bytes) -> SubWords:
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise _missing(path, "tokenizers") from None
    with refusals(f"{path} is no tokenizer.json"):
        engine = Tokenizer.from_buffer(data)
    engine.no_truncation()
    engine.no_padding()
    size = max(engine.get_vocab(with_added_tokens=True).values(), default=-1) + 1

    def encode(text: str) -> list[int]:
        with refusals(f"{text!r:.60} cannot be cut by {path}"):
            ids: list[int] = engine.encode(whole(text)).ids
        return ids

    def decode(ids: Sequence[int]) -> str:
        with refusals(f"{path} cannot spell tokens"):
            text: str = engine.decode(ids)
        return text

    return SubWords(encode, decode, size)


def _of_model(path: Path, data: bytes) -> SubWords:
    try:
        from sentencepiece import SentencePieceProcessor
    except ImportError:
        raise _missing(path, "sentencepiece") from None
    engine = SentencePieceProcessor()
    try:
        engine.LoadFromSerializedProto(data)
    except (RuntimeError, OSError):
        raise DataError(f"{path} is no SentencePiece model") from None
    size = engine.GetPieceSize()

    def decode(ids: Sequence[int]) -> str:  # it refuses ids that it has no piece for
        text: str = engine.DecodeIds([id for id in ids if id < size])
        return text

    return SubWords(lambda text: engine.EncodeAsIds(whole(text)), decode, size)


def _missing(path: Path, library: str) -> ZoohubError:
    return ZoohubError(f"{path.name} is read by {library}: pip install 'zoohub[text]'")
