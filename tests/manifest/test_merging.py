"""What a checkpoint says of its input adds to what its model and family say."""

from __future__ import annotations

from zoohub.manifest.family import merge


def test_texts_are_merged_key_by_key_as_networks_and_inputs_are() -> None:
    family = {"input": {"layout": "NCHW", "text": {"pad_id": 1, "vocabulary": "vocab.txt"}}}
    own = {"input": {"text": {"vocabulary": "other.txt"}}}
    assert merge(family, own) == {
        "input": {"layout": "NCHW", "text": {"pad_id": 1, "vocabulary": "other.txt"}}
    }
    taken = merge(family, {"input": {"text": None}})
    assert taken["input"] == {"layout": "NCHW", "text": None}
