"""Which networks tell the classes of texts apart: an entry's own head decides."""

from __future__ import annotations

from dataclasses import replace

from zoohub.errors import DataError, RecipeError
from zoohub.manifest.entry import NetworkSpec, TextContract
from zoohub.networks.families import find_family
from zoohub.tasks.encoders import arrays_of, head_of
from zoohub.tasks.text_classification.rows import IDS, KINDS, MASK, PLAIN

CLASSIFIES = "classification"
# Heads over the same encoder, and the prefixes of what is theirs alone.
_OTHERS = {"pretraining": "cls1 cls2", "question-answering": "dense1"}


def check_head(network: NetworkSpec) -> None:
    """That a network gives a score a class for a text of token ids.

    Raises:
        DataError: it gives something else, or takes more.
    """
    family = find_family(network.builder)
    if "head" in family.arguments:
        head = head_of(network)
        if head != CLASSIFIES:
            raise DataError(
                f"this network ({family.name}) ends in the head {head!r}, which tells no classes "
                "of texts apart; zoohub predicts with those that have the head 'classification'; "
                "others can be loaded (zoohub.load) and called with arrays, and exported"
            )
    elif family.inputs != (PLAIN,) or family.classes_argument not in family.arguments:
        raise DataError(
            f"networks of the family {family.name} take {arrays_of(network)}, of which zoohub "
            "makes no input from text; make these arrays yourself, load the network (zoohub.load) "
            "and call it with them in this order, or export it"
        )
    odd = set(family.inputs) - {IDS, KINDS, MASK, PLAIN}
    if odd:
        raise DataError(f"{family.name} takes {', '.join(sorted(odd))}, which no text has")


def with_classifier(network: NetworkSpec) -> NetworkSpec:
    """An encoder that was pretrained, or answers questions, with a classifier as its head, which
    `num_classes` makes anew: what the file has of the other head is left there. Else as it is.

    RoBERTa's kind, which takes no kinds of tokens, classifies by another state: it stays too.
    """
    family = find_family(network.builder)
    other = _OTHERS.get(str(network.arguments.get("head")))
    if "head" not in family.arguments or other is None or KINDS not in family.inputs:
        return network
    arguments = {**network.arguments, "head": CLASSIFIES}
    own = " ".join(family.head_of(arguments))
    return replace(network, arguments=arguments, head=f"{own} {other}")


def check_length(network: NetworkSpec, contract: TextContract) -> None:
    """That a network which is not told where a text ends learns from texts of one known length.

    Raises:
        RecipeError: the length is not known.
    """
    if MASK not in find_family(network.builder).inputs and contract.max_length is None:
        raise RecipeError(
            f"{network.builder} is not told where a text ends, so all are filled up to one length: "
            "say which, e.g. --set text.max_length=64"
        )
