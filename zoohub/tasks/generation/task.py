"""Texts, and how they go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from zoohub.errors import DataError
from zoohub.inputs.text import Sentence, padded
from zoohub.manifest.entry import InputContract
from zoohub.outputs import Form
from zoohub.outputs.continuations import Continuations
from zoohub.running import Array, Runner
from zoohub.tasks.contract import Arrays, Row
from zoohub.tasks.generation.interpret import Continuation, results_of
from zoohub.tasks.generation.options import GenerationOptions, check_options
from zoohub.tasks.generation.rows import collate_prompts, prompt_rows, prompts_of
from zoohub.tasks.generation.sampling import Floats
from zoohub.tasks.generation.writing import Ids, write
from zoohub.tasks.predict_only import PredictOnly


class GenerationTask(PredictOnly):
    """See `Task`. The network has the part `next`, which is asked once a token."""

    serves = ("language-model",)
    kind = "text"
    title = "go on with texts"
    samples = "texts"
    options = GenerationOptions
    streams = True

    def prepare(
        self, contract: InputContract, options: object = None
    ) -> Callable[[Sentence], tuple[Row, ...]]:
        """See `Task`."""
        known = options if isinstance(options, GenerationOptions) else GenerationOptions()
        check_options(known)
        return prompt_rows(contract, known)

    def collate(self, rows: Sequence[Row]) -> dict[str, Array]:
        """Filled up to the longest."""
        return collate_prompts(rows)

    def infer(
        self,
        runners: Mapping[str, Runner],
        batch: Arrays,
        contract: InputContract,
        rows: Sequence[Row] = (),
    ) -> dict[str, Array]:
        """`tokens` (N, T) and `counts` (N,), written as the rows' prompts ask for."""
        runner = runners.get("next")
        if runner is None:
            raise DataError(
                "an exported language model scores sequences of one length, for programs of your "
                "own; to go on with a text, predict with the model's name"
            )

        def step(ids: Ids, lengths: Ids) -> Floats:
            return runner.run({"ids": ids, "lengths": lengths})["logits"]

        answers = write(step, prompts_of(rows))
        counts = np.array([len(tokens) for tokens in answers], np.int32)
        return {"tokens": padded(answers, 0), "counts": counts}

    def interpret(
        self,
        form: Form,
        rows: Sequence[Row],
        names: tuple[str, ...] | None,
        options: GenerationOptions,
    ) -> list[tuple[Continuation, ...]]:
        """See `Task`; there are no classes."""
        if not isinstance(form, Continuations):
            raise DataError(f"expected continuations; got {type(form).__name__}")
        return results_of(form, prompts_of(rows))


TASK = GenerationTask()
