"""Every name a publisher ever used finds its model, and words in Chinese find models too."""

from __future__ import annotations

import pytest

from zoohub.errors import UnknownModel
from zoohub.manifest.older_names import beginnings
from zoohub.manifest.opening import open_index
from zoohub.manifest.tasks import CHINESE, LEADING, leading, rank, translated
from zoohub.settings import load_settings


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("mindspore/ascend/1.3/resnet50_v1.5_imagenet2012", "resnet50"),
        ("mindspore/ascend/1.2/resnet50_v1.5_cifar10", "resnet50"),
        ("mindspore/gpu/1.0/lenet_v1.0_mnist", "lenet5"),
        ("mindspore/r1.1/googlenet_cifar10", "googlenet"),
        ("resnet50_224.ckpt", "resnet50"),
        ("yolov5s_300e_mAP376-860bcf3b.ckpt", "yolov5s"),
        ("resnet50-e0733ab8.ckpt", "resnet50"),
        ("mobilenet_v2_100_224-d5532038.ckpt", "mobilenet_v2_100"),
    ],
)
def test_an_older_name_finds_its_model(name: str, model: str) -> None:
    assert open_index(load_settings()).resolve(name).entry.model == model


@pytest.mark.parametrize(
    "name", ["resnet50_224", "nothing_224.ckpt", "mindspore/1.3/nothing_at_all", "resnet50/x.ckpt"]
)
def test_what_fits_no_pattern_is_still_not_guessed(name: str) -> None:
    with pytest.raises(UnknownModel):
        open_index(load_settings()).resolve(name)


def test_the_longest_beginning_comes_first() -> None:
    assert list(beginnings("a_b-c.ckpt")) == ["a_b-c", "a_b", "a"]
    assert list(beginnings("a_b-c")) == []


@pytest.mark.parametrize(
    ("words", "task"),
    [
        ("人脸检测", "face-detection"),
        ("目标检测", "object-detection"),
        ("语义分割", "semantic-segmentation"),
        ("机器翻译", "machine-translation"),
        ("图像分类", "image-classification"),
        ("语音识别", "speech-recognition"),
        ("文本识别", "scene-text-recognition"),
        ("超分辨率", "image-super-resolution"),
        ("点击率", "click-through-rate-prediction"),
        ("强化学习", "reinforcement-learning"),
    ],
)
def test_search_understands_chinese(words: str, task: str) -> None:
    found = open_index(load_settings()).search(words)
    assert task in {entry.task for entry in found[:10]}


def test_chinese_and_other_words_go_together() -> None:
    assert translated("轻量 目标检测模型 coco") == ("coco", (CHINESE["轻量"], CHINESE["目标检测"]))
    assert translated("未知词") == ("未知词", ())


def test_models_are_ranked_by_their_leading_metric_the_better_one_first() -> None:
    assert rank({"top1": 80.0}) < rank({"top1": 70.0}) < rank({"wer": 2.0}) < rank({"wer": 3.0})


def test_no_model_is_shown_with_a_figure_that_stands_for_none() -> None:
    """File names end in `acc0` where nothing was measured, or leave the point of 78.54 out."""
    shown = {
        (entry.model, leading(entry.metrics))
        for entry in open_index(load_settings()).list()
        if entry.task != "reinforcement-learning"  # its `acc` is a reward
    }
    shares = [(m, figure) for m, figure in shown if figure and figure[0] in LEADING]
    assert len(shares) > 400
    assert [one for one in shares if not 0 < one[1][1] <= 100] == []
