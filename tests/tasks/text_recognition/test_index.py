"""What the index says of the published recognisers: how their pictures are made, and their
characters."""

from __future__ import annotations

from dataclasses import replace

import pytest

import zoohub
from zoohub.manifest.entry import InputContract, LineContract
from zoohub.networks.families import find_family
from zoohub.outputs.characters import TextReader
from zoohub.tasks.text_recognition.dictionary import layout_of

LINE = InputContract(
    size=(32, 320), value_range="0..255", mean=(127,) * 3, std=(127,) * 3,
    interpolation="bilinear", resize="line", turned_above=2.0, line=LineContract("black"),
    provenance="recipe",
)  # fmt: skip
WORD = replace(LINE, size=(32, 100), resize="stretch", turned_above=None, line=None)
HALVES = {"value_range": "0..1", "mean": (0.5,) * 3, "std": (0.5,) * 3, "colour": "BGR"}
# model -> its input, the classes of its head, and which of them are no characters
KNOWN = {
    "crnn_resnet34": (WORD, 37, "<blank>"),
    "crnn_vgg7": (WORD, 37, "<blank>"),
    "crnn_resnet34_ch": (LINE, 6624, "<blank>"),
    "rare_resnet34": (WORD, 38, "<go> <stop>"),
    "rare_resnet34_ch": (LINE, 6625, "<go> <stop>"),
    "svtr_tiny": (replace(WORD, size=(64, 256)), 37, "<blank>"),
    "svtr_tiny_8p": (replace(WORD, size=(64, 256)), 37, "<blank>"),
    "svtr_tiny_ch": (LINE, 6624, "<blank>"),
    "svtr_lcnet_ppocrv3": (
        replace(LINE, size=(48, 320), turned_above=None,
                line=LineContract("zero", widest=3200), **HALVES), 6625, "<blank>"),
    "master_resnet31": (
        replace(LINE, size=(48, 160), turned_above=None,
                line=LineContract("zero", normalised_first=True)), 94,
        "<GO> <STOP> <PAD> <UNKNOWN>"),
    "robustscanner_resnet31": (
        replace(LINE, size=(48, 160), turned_above=None,
                line=LineContract("black", multiple=4, narrowest=48), **HALVES), 92,
        "<UKN> <BOS/EOS>"),
    "visionlan_resnet45_la": (replace(WORD, size=(64, 256)), 37, "<end>"),
    "abinet_resnet45_en": (
        replace(WORD, size=(32, 128), value_range="0..1", mean=None, std=None), 37, "<end>"),
    "crnn": (replace(WORD, mean=(127.5,) * 3, std=(127.5,) * 3, colour="BGR"), 37, "<blank>"),
    "cnnctc": (
        replace(LINE, size=(32, 100), turned_above=None, interpolation="bicubic",
                line=LineContract("edge"), **{**HALVES, "colour": "RGB"}), 37, "<blank>"),
    "crnn_seq2seq_ocr": (
        replace(WORD, size=(128, 512), **{**HALVES, "colour": "RGB"}), 10000,
        "<pad> <go> <end> <ukn>"),
    "warpctc": (
        replace(WORD, size=(64, 160), value_range="0..1", mean=(0.901, 0.9049, 0.9025),
                std=(0.1521, 0.1347, 0.1458), colour="BGR"), 11, "<blank>"),
}  # fmt: skip


@pytest.mark.parametrize("model", KNOWN)
def test_inputs_and_characters_are_the_publishers(model: str) -> None:
    contract, count, beside = KNOWN[model]
    weights = zoohub.get_weights(model)
    assert weights.input == contract
    assert weights.classes is not None
    assert len(weights.classes) == count
    entry = zoohub.info(model)
    spec = entry.network
    if spec is None:  # its network is not there yet
        return
    assert spec.arguments.get("num_classes", count) == count
    reader = find_family(spec.builder).read_outputs()
    assert isinstance(reader, TextReader)
    layout = layout_of(weights.classes, reader)
    assert " ".join((*layout.before, *layout.after)) == beside
    assert (layout.before, layout.after) == (reader.before, reader.after)


def test_the_classifier_of_directions_has_a_picture_of_the_same_kind() -> None:
    weights = zoohub.get_weights("cls_mobilenetv3")
    assert weights.input == replace(WORD, size=(48, 192), turned_above=2.0)
    assert weights.classes == ("0", "180")
