"""Data of texts names the vocabulary that comes with the network, where nothing else is said."""

from __future__ import annotations

import pytest

from zoohub.errors import DataError
from zoohub.inputs.text.shipped import named_vocabulary
from zoohub.manifest.entry import InputContract, TextContract
from zoohub.tasks.classification.recipe import FolderData
from zoohub.tasks.text_classification.recipe import LabelledTexts
from zoohub.tasks.texts import with_vocabulary

SHIPPED = InputContract(text=TextContract(vocabulary="embedded:textcnn-languages.json"))


def test_what_is_said_stays_and_what_is_not_is_the_networks_own() -> None:
    unsaid, said = LabelledTexts("texts", "a.csv"), LabelledTexts("texts", "a.csv", vocab="v.txt")
    assert with_vocabulary(unsaid, SHIPPED).vocab == "embedded:textcnn-languages.json"
    assert with_vocabulary(said, SHIPPED) is said
    assert with_vocabulary(unsaid, InputContract(text=TextContract(vocabulary="v.txt"))) is unsaid
    assert with_vocabulary(unsaid, None) is unsaid
    pictures = FolderData("folder", "photos")
    assert with_vocabulary(pictures, SHIPPED) is pictures


@pytest.mark.parametrize("name", ["embedded:none.json", "embedded:", "embedded:../../secret"])
def test_a_vocabulary_that_does_not_come_with_zoohub_is_refused(name: str) -> None:
    with pytest.raises(DataError, match="zoohub carries no vocabulary"), named_vocabulary(name):
        pytest.fail("it was found")
