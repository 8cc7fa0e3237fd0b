"""What a segmenter is trained on, its loss, and a run from data to an exported file."""

from __future__ import annotations

import json
from pathlib import Path

import mindspore
import numpy as np
import pytest
from mindspore import Tensor
from PIL import Image

import zoohub
from zoohub.manifest.entry import InputContract
from zoohub.tasks.recipe import Input, Network, Optimizer
from zoohub.tasks.samples import Samples
from zoohub.tasks.segmentation.loss import PixelCrossEntropy
from zoohub.tasks.segmentation.masks import IGNORED, Mask
from zoohub.tasks.segmentation.recipe import MaskAugment, MaskScenesData, SegmentationRecipe
from zoohub.tasks.segmentation.rows import TrainingMasks, cut


def nothing(name: str, reason: str) -> None:
    raise AssertionError(f"{name}: {reason}")


def rows(augment: MaskAugment, size: tuple[int, int] = (8, 8)) -> TrainingMasks:
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[:, 2:] = 200
    mask = np.where(picture[..., 0] > 0, 1, 0).astype(np.uint8)
    contract = InputContract(size=size, resize="stretch", interpolation="bilinear")
    return TrainingMasks(Samples([picture], [Mask(mask)], ["a"]), contract, augment)


def test_a_picture_and_its_mask_are_changed_alike() -> None:
    prepare = rows(MaskAugment(scale=(0.5, 2.0), flip=0.5, upside_down=0.5))
    for seed in range(20):
        row = prepare(0, np.random.default_rng(seed), nothing, 0)
        light, classes = row.inputs["image"][0] > 0.4, row.targets["classes"]
        known = classes != IGNORED
        assert (light[known] == (classes[known] == 1)).mean() > 0.75


def test_without_changes_all_of_the_picture_is_seen() -> None:
    row = rows(MaskAugment())(0, np.random.default_rng(0), nothing, 0)
    assert row.targets["classes"].tolist() == [[0] * 4 + [1] * 4] * 8


def test_a_smaller_picture_leaves_pixels_that_do_not_count() -> None:
    pixels, mask = np.full((4, 4, 3), 9, np.uint8), np.ones((4, 4), np.uint8)
    _, classes = cut(pixels, mask, (8, 8), 0.5, np.random.default_rng(0))
    assert (classes == 1).sum() == 16
    assert (classes == IGNORED).sum() == 48


def test_a_mask_of_another_size_is_left_out_by_name() -> None:
    prepare = rows(MaskAugment())
    prepare.samples.targets[0] = Mask(np.zeros((2, 2), np.uint8))  # type: ignore[index]
    told: list[str] = []
    with pytest.raises(zoohub.errors.DataError, match="mask has 2×2 pixels, the picture 4×4"):
        prepare(0, np.random.default_rng(0), lambda name, reason: told.append(name), 0)
    assert told == ["a"]


@pytest.mark.parametrize("weights", [None, (1.0, 3.0)])
def test_the_loss_is_the_mean_over_pixels_that_have_a_class(
    weights: tuple[float, ...] | None,
) -> None:
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((2, 2, 3, 3)).astype(np.float32)
    target = rng.integers(0, 2, (2, 3, 3)).astype(np.int32)
    target[0, 0] = IGNORED
    log_likely = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    known = target != IGNORED
    picked = np.take_along_axis(log_likely, np.where(known, target, 0)[:, None], 1)[:, 0]
    factor = known * np.array(weights or (1.0, 1.0))[np.where(known, target, 0)]
    expected = -(picked * factor).sum() / factor.sum()
    found = PixelCrossEntropy(2, weights)(Tensor(logits), Tensor(target))
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_a_network_that_sees_the_middle_answers_for_the_middle() -> None:
    logits = Tensor(np.zeros((1, 2, 2, 2), np.float32))
    target = np.full((1, 6, 6), IGNORED, np.int32)
    target[0, 2:4, 2:4] = 1
    assert float(PixelCrossEntropy(2)(logits, Tensor(target))) == pytest.approx(np.log(2), rel=1e-5)


@pytest.mark.slow
def test_a_small_unet_learns_scenes_and_its_file_says_the_same(tmp_path: Path) -> None:
    recipe = SegmentationRecipe(
        task="semantic-segmentation",
        model="small",
        network=Network("unet", {"variant": "simple", "in_channels": 3, "base_channels": 4}),
        input=Input(size=(64, 64), resize="stretch"),
        data=MaskScenesData("digit-scenes", size=64, train=24, validation=2, test=4, ink=True),
        optimizer=Optimizer(name="adamw", lr=3e-3),
        epochs=3,
        evaluate_every=3,
    )
    run = zoohub.finetune(recipe, output=tmp_path / "run")
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert 0 < run.metrics["miou"] <= 1
    page = (run.path / "report.html").read_text()
    assert "mean IoU" in page
    scene = MaskScenesData("digit-scenes", size=64, test=1, ink=True)
    from zoohub.tasks.segmentation.scenes import MaskScenesReader

    picture = MaskScenesReader().read(scene, measuring=True).test.inputs[0]
    saved = tmp_path / "map.png"
    (prediction,) = zoohub.predict(run.path, picture, save=saved)
    with Image.open(saved) as image:
        assert image.mode == "P"
        shares = np.bincount(np.asarray(image).ravel(), minlength=2) / 64**2
    for region in prediction.predictions:
        assert shares[region.index] == pytest.approx(region.share)
    file = zoohub.export(run.net, tmp_path / "small.onnx", dynamic={"batch"}, check=True)
    again = zoohub.evaluate(file, MaskScenesData("digit-scenes", size=64, test=4, ink=True))
    assert again["miou"] == pytest.approx(run.metrics["miou"], abs=1e-4)
    assert mindspore.get_context("device_target") == "CPU"
