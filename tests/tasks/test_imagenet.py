"""ImageNet's classes by their synsets."""

from __future__ import annotations

import pytest

from zoohub.errors import DataError
from zoohub.models.class_names import class_names
from zoohub.tasks.classes import match_classes
from zoohub.tasks.imagenet import imagenet_synsets

NAMES = class_names("imagenet-1k")
# As torchvision and the papers have them: number, synset, name.
KNOWN = ((0, "n01440764", "tench"), (65, "n01751748", "sea snake"), (281, "n02123045", "tabby"),
         (999, "n15075141", "toilet tissue"))  # fmt: skip


def test_there_are_a_thousand_synsets_in_the_order_of_their_numbers() -> None:
    synsets = imagenet_synsets()
    assert len(set(synsets)) == 1000
    assert list(synsets) == sorted(synsets)
    for place, synset, name in KNOWN:
        assert synsets[place] == synset
        assert NAMES[place] == name


@pytest.mark.parametrize("known", [NAMES, None])
def test_folders_of_synsets_are_classes_by_number_even_where_few_are_there(
    known: tuple[str, ...] | None,
) -> None:
    places = [place for place, _, _ in KNOWN]
    found = [synset for _, synset, _ in KNOWN]
    assert match_classes(found, known, 1000).tolist() == places
    assert match_classes(found[::-1], known, 1000).tolist() == places[::-1]
    assert match_classes(imagenet_synsets(), known, 1000).tolist() == list(range(1000))


def test_a_network_that_knows_synsets_by_name_is_asked_by_name() -> None:
    own = imagenet_synsets()[::-1]
    assert match_classes(["n01440764"], own, 1000).tolist() == [999]


def test_synsets_of_other_sets_are_refused() -> None:
    with pytest.raises(DataError, match="does not know: n01440764, n00000001"):
        match_classes(["n01440764", "n00000001"], NAMES, 1000)
    with pytest.raises(DataError, match="does not know: n01440764"):
        match_classes(["n01440764"], ("cat", "dog"), 2)
