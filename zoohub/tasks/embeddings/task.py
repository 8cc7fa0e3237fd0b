"""Texts as vectors, by an encoder that has no other head."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from zoohub.inputs.text import Sentence
from zoohub.manifest.entry import InputContract, NetworkSpec, TextContract
from zoohub.networks.families import find_family
from zoohub.outputs import Form
from zoohub.running import Array, Runner
from zoohub.tasks.contract import Arrays, Row
from zoohub.tasks.embeddings import SERVES, SHARES
from zoohub.tasks.embeddings.pooling import Embedding, EmbeddingOptions, embeddings_of
from zoohub.tasks.encoders import head_of, reads_text, refuse_head, under_head
from zoohub.tasks.predict_only import PredictOnly
from zoohub.tasks.texts import (
    IDS,
    encoder_batch,
    run_encoder,
    text_contract,
    token_ids,
    tokenizer_of,
)

_HEAD = "encoder"


class EmbeddingsTask(PredictOnly):
    """See `Task`."""

    serves = SERVES
    shares = SHARES
    kind = "text"
    title = "make vectors of texts"
    sample = "text"
    headless = True
    options = EmbeddingOptions

    def claims(self, network: NetworkSpec) -> bool:
        """Encoders without a head."""
        return reads_text(network) and head_of(network) == _HEAD

    def check_network(self, network: NetworkSpec, training: InputContract | None = None) -> None:
        """That it gives the states of a text's tokens."""
        if not self.claims(network):
            raise refuse_head(network, "makes no vectors", repr(_HEAD))

    def network_for(self, network: NetworkSpec) -> NetworkSpec:
        """An encoder with the head it has left out."""
        return under_head(network, _HEAD, find_family(network.builder).heads)

    def prepare(
        self, contract: InputContract, options: object = None
    ) -> Callable[[Sentence], tuple[Row, ...]]:
        """See `Task`; a text longer than the network's longest is cut, which is said."""
        text = text_contract(contract)
        file = options.vocab if isinstance(options, EmbeddingOptions) else None
        tokenizer = tokenizer_of(text, file)

        def prepare(sentence: Sentence) -> tuple[Row, ...]:
            ids = np.array(token_ids(sentence, text, tokenizer), np.int32)
            return (Row({IDS: ids}, text),)

        return prepare

    def collate(self, rows: Sequence[Row]) -> dict[str, Array]:
        """Filled up to the longest."""
        contract = rows[0].geometry
        assert isinstance(contract, TextContract)
        return encoder_batch(rows, contract)

    def infer(
        self,
        runners: Mapping[str, Runner],
        batch: Arrays,
        contract: InputContract,
        rows: Sequence[Row] = (),
    ) -> dict[str, Array]:
        """See `run_encoder`."""
        (runner,) = runners.values()
        return run_encoder(runner, batch)

    def interpret(
        self,
        form: Form,
        rows: Sequence[Row],
        names: tuple[str, ...] | None,
        options: EmbeddingOptions,
    ) -> list[tuple[Embedding]]:
        """See `Task`; there are no classes."""
        return embeddings_of(form, rows, options)


TASK = EmbeddingsTask()
