"""What a language model's run shows: its perplexity."""

from __future__ import annotations

from zoohub.tasks.contract import Finished, Panels
from zoohub.tasks.generation.recipe import GenerationRecipe


def generation_panels(finished: Finished[GenerationRecipe, None]) -> Panels:
    """The figure at the top."""
    if finished.figures is None:
        return Panels()
    return Panels({"perplexity": f"{finished.figures['perplexity']:.2f}"})
