"""Pictures come to the sizes of text detectors' inputs as by MindOCR's DetResize."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import zoohub
from zoohub.inputs.picture import Transform
from zoohub.inputs.picture.transforms import MOST_PIXELS
from zoohub.manifest.entry import InputContract

CASES = json.loads(
    (Path(__file__).parents[2] / "data" / "text_detection" / "preprocess.json").read_text()
)["detection"]
# Of each way to come to a size: a checkpoint whose publisher's recipe does so.
CHECKPOINTS = {
    "db_r50_icdar15": "dbnet_resnet50",
    "db_mobilenetv3_icdar15": "dbnet_mobilenetv3",
    "db_r18_icdar15": "dbnet_resnet18",
    "db_r18_ctw1500": "dbnet_resnet18_ctw1500",
    "db_r50_ctw1500": "dbnet_resnet50_ctw1500",
    "db_r18_mlt2017": "dbnet_resnet18_mlt2017",
    "db_r50_mlt2017": "dbnet_resnet50_mlt2017",
    "db_r18_totaltext": "dbnet_resnet18_totaltext",
    "db_r50_totaltext": "dbnet_resnet50_totaltext",
    "db_r18_td500": "dbnet_resnet18_td500",
    "db_r50_td500": "dbnet_resnet50_td500",
    "dbpp_r50_icdar15": "dbnetpp_resnet50",
    "dbpp_r50_icdar15_910": "dbnetpp_resnet50_910",
    "db_mobilenetv3_ppocrv3": "dbnet_mobilenetv3_ppocrv3",
    "pse_mv3_icdar15": "psenet_mobilenetv3_ic15",
    "pse_r50_icdar15": "psenet_resnet50_ic15",
    "pse_r152_icdar15": "psenet_resnet152_ic15",
    "pse_r152_ctw1500": "psenet_resnet152_ctw1500",
    "east_mobilenetv3_icdar15": "east_mobilenetv3_ic15",
    "east_r50_icdar15": "east_resnet50_ic15",
}
ROWS = {
    Path(config).stem: case["rows"]
    for case in CASES
    for config in case["configs"]
    if config.endswith(".yaml")
}


def contract_of(model: str) -> InputContract | None:
    checkpoint = zoohub.info(model).checkpoint()
    assert checkpoint is not None
    return checkpoint.input


@pytest.mark.parametrize("config", CHECKPOINTS)
def test_each_checkpoint_has_its_recipes_sizes(config: str) -> None:
    contract = contract_of(CHECKPOINTS[config])
    assert contract is not None
    transform = Transform(contract)
    for row in ROWS[config]:
        height, width = row["source"]
        geometry = transform.geometry(height, width)
        assert list(geometry.resized) == row["resized"]
        assert [geometry.scale_y, geometry.scale_x] == pytest.approx(
            row["shape_list"][2:], abs=1e-5
        )
        if np.prod(row["out"]) < 1_500_000:
            picture = np.zeros((height, width, 3), np.uint8)
            assert list(transform(picture).shape) == [3, *row["out"]]


def test_the_publishers_tool_shrinks_the_longer_side() -> None:
    (rows,) = (case["rows"] for case in CASES if case["configs"] == ["tools/infer/text (defaults)"])
    contract = contract_of("dbnetpp_resnet50_ch_en_general")
    assert contract is not None
    assert contract.provenance == "publisher default"
    for row in rows:
        assert list(Transform(contract).geometry(*row["source"]).resized) == row["out"]


def test_what_is_filled_up_is_black_before_it_is_normalised() -> None:
    contract = InputContract(
        size=(64, 96), resize="pad", interpolation="bilinear", value_range="0..255",
        mean=(100.0, 50.0, 0.0), std=(50.0, 50.0, 1.0),
    )  # fmt: skip
    prepared = Transform(contract).prepare(np.full((40, 40, 3), 200, np.uint8))
    assert prepared.geometry.resized == (64, 64)
    assert prepared.array[:, 0, 0].tolist() == [2, 3, 200]
    assert prepared.array[:, 63, 64].tolist() == [-2, -1, 0]


def test_channels_are_swapped_and_the_means_stay() -> None:
    contract = contract_of("dbnet_mobilenetv3_ppocrv3")
    assert contract is not None
    red = np.zeros((736, 736, 3), np.uint8)
    red[..., 0] = 255
    first, _, last = Transform(contract)(red)[:, 0, 0]
    assert first == pytest.approx((0 - 123.675) / 58.395)
    assert last == pytest.approx((255 - 103.53) / 57.375)


@pytest.mark.parametrize("resize", ["within", "pad"])
def test_a_size_that_is_no_multiple_of_32_is_not_filled(resize: str) -> None:
    contract = InputContract(size=(752, 1000), resize=resize, interpolation="bilinear")  # type: ignore[arg-type]
    transform = Transform(contract)
    assert transform.geometry(752, 1000).resized == (736, 992)
    assert transform.geometry(3000, 3000).resized == (736, 768)
    out = (736, 992) if resize == "within" else (752, 1000)
    assert transform(np.zeros((752, 1000, 3), np.uint8)).shape == (3, *out)


@pytest.mark.parametrize("resize", ["at_least", "at_most", "within", "pad"])
@pytest.mark.parametrize(
    "picture", [(64, 20_000), (20_000, 64), (1, 1), (12_000, 9_000), (3, 4000)]
)
def test_strips_specks_and_posters_come_to_a_size_that_can_be_computed(
    resize: str, picture: tuple[int, int]
) -> None:
    contract = InputContract(size=(736, 736), resize=resize, interpolation="bilinear")  # type: ignore[arg-type]
    height, width = Transform(contract).geometry(*picture).resized
    assert height % 32 == width % 32 == 0
    assert height >= 32
    assert width >= 32
    assert height * width <= MOST_PIXELS * 1.01
