"""From the states of a text's tokens to one vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoohub.core.counting import counted
from zoohub.errors import DataError, UsageError
from zoohub.outputs import Form
from zoohub.outputs.form import check_finite
from zoohub.outputs.text_heads import TokenStates
from zoohub.tasks.contract import Row
from zoohub.tasks.options import option
from zoohub.tasks.results import Json
from zoohub.tasks.texts import IDS

POOLINGS = ("mean", "cls", "pooler")
NORMS = ("none", "l2")
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class EmbeddingOptions:
    """`pooling`: `mean` of the states of a text's tokens, its marks among them (Reimers and
    Gurevych, "Sentence-BERT", 2019); `cls`, the first token's state; `pooler`, what the network's
    layer for that makes of it. `norm`: `l2` brings vectors to length 1. `vocab` is the file that
    cuts text, None: token ids alone are taken."""

    pooling: str = option("mean", "how a text's vector is made (mean)", metavar="|".join(POOLINGS))
    norm: str = option("none", "l2: vectors of length 1 (none)", metavar="|".join(NORMS))
    vocab: str | None = option(None, "the file of a text network's tokens", metavar="FILE")

    def __post_init__(self) -> None:
        for name, known in (("pooling", POOLINGS), ("norm", NORMS)):
            value = getattr(self, name)
            if value not in known:
                raise UsageError(f"{name} {value!r} is not known; choose {', '.join(known)}")


@dataclass(frozen=True, slots=True)
class Embedding:
    """A text as a vector, float32."""

    vector: tuple[float, ...]

    def to_json(self) -> dict[str, Json]:
        """The vector, to 7 digits behind the point."""
        return {"vector": [round(value, 7) for value in self.vector]}

    def line(self) -> str:
        """How many numbers, and the first of them."""
        first = " ".join(f"{value:.4f}" for value in self.vector[:_SHOWN])
        return f"{counted(len(self.vector), 'number')}: {first}{' …' * (len(self.vector) > _SHOWN)}"


def embeddings_of(
    form: Form, rows: Sequence[Row], options: EmbeddingOptions
) -> list[tuple[Embedding]]:
    """The vector of each text. Raises DataError: the network gives no states, or has no pooler."""
    if not isinstance(form, TokenStates):
        raise DataError(f"expected states of tokens from the network; got {type(form).__name__}")
    check_finite(form.states)
    lengths = [len(row.inputs[IDS]) for row in rows]
    vectors = _pooled(form, lengths, options.pooling)
    if options.norm == "l2":
        lengths_of = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors = vectors / np.maximum(lengths_of, np.finfo(np.float32).tiny)
    return [(Embedding(tuple(vector.astype(np.float32).tolist())),) for vector in vectors]


def _pooled(form: TokenStates, lengths: Sequence[int], pooling: str) -> NDArray[np.float64]:
    if pooling == "pooler":
        if form.pooled is None:
            raise DataError("this network has no pooler; choose the pooling mean or cls")
        check_finite(form.pooled)
        return form.pooled.astype(np.float64)
    if pooling == "cls":
        return form.states[:, 0].astype(np.float64)
    return np.stack(
        [
            states[:length].astype(np.float64).mean(0)
            for states, length in zip(form.states, lengths, strict=True)
        ]
    )
