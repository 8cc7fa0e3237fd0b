"""What KT-NET takes: tokens, and the concepts that each may stand for."""

from __future__ import annotations

from zoohub.networks.family import Arguments, Taken

_CONCEPTS = {"wn_concepts": 49, "nell_concepts": 27}


def taken(arguments: Arguments) -> tuple[Taken, ...]:
    """Concepts of WordNet and of NELL beside a text's tokens, filled up with 0."""
    each = ("batch", "length")
    wordnet, nell = (int(str(arguments.get(name, n))) for name, n in _CONCEPTS.items())
    return (
        Taken("input_ids", each),
        Taken("token_type_ids", each),
        Taken("attention_mask", each),
        Taken("wn_concept_ids", (*each, wordnet)),
        Taken("nell_concept_ids", (*each, nell)),
    )
