"""What is known to be wrong with texts before a network, which may be large, is fetched."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.errors import UsageError
from zoohub.inputs.text import Sentence
from zoohub.predicting.known import known_of
from zoohub.settings import Settings
from zoohub.tasks.finding import options_for


def check_texts(
    model: str,
    text: str | None,
    settings: Settings,
    options: Mapping[str, object],
    *,
    own: bool,
    task: str | None = None,
) -> None:
    """That a network (a reference, a run, an exported file), as `task` takes it, reads a text,
    where there is one, and goes with the vocabulary among predict's `options`, unless its weights
    are one's `own`, which may be of another size.

    Raises:
        UsageError: it reads none. DataError: its vocabulary is needed, or is of another kind or
        size, or zoohub has no such task. As `zoohub.predict` for the name.
    """
    known = known_of(model, settings, task)
    does, contract, network = known.task, known.input, known.network
    if does.kind != "text":
        if text is None:
            return
        raise UsageError(f"--text is for networks that read text; {model} is for {does.name}")
    if network is not None:
        does.check_network(network)
    cuts = options.get("vocab") is not None
    if contract is None or (cuts and own):
        return
    prepare = does.prepare(contract, options_for(does, options))
    if text is not None and (not cuts or does.asked):
        prepare(Sentence(text, text=text))
