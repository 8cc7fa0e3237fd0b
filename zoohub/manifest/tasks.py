"""The tasks an index may name, those of the published checkpoints; the metrics that head lists and
pages, and the Chinese words by which models are searched."""

from __future__ import annotations

from collections.abc import Mapping

# fmt: off
TASKS = frozenset((
    "audio-tagging", "camera-relocalization", "click-through-rate-prediction",
    "controllable-generation", "crowd-counting", "defect-detection", "depth-estimation",
    "depth-to-image", "dialogue", "document-understanding", "edge-detection",
    "emotion-classification", "evaluation-metric", "face-detection", "fill-mask",
    "graph-classification", "image-classification", "image-deblurring", "image-denoising",
    "image-encoder", "image-generation", "image-inpainting", "image-matting",
    "image-quality-assessment", "image-retrieval", "image-super-resolution", "image-text-matching",
    "image-tokenizer", "image-variation", "instance-segmentation", "key-information-extraction",
    "keypoint-detection", "keyword-spotting", "knowledge-graph-embedding", "language-model",
    "layout-analysis", "machine-translation", "masked-image-modeling", "meta-learning",
    "multi-modal", "named-entity-recognition", "natural-language-understanding",
    "neural-architecture-search", "object-detection", "object-tracking",
    "optical-character-recognition", "optical-flow-estimation",
    "point-cloud-model", "pose-estimation", "question-answering", "re-identification",
    "recommender-system", "reinforcement-learning", "salient-object-detection",
    "scene-text-detection", "scene-text-recognition", "scientific-computing",
    "semantic-segmentation", "sentiment-analysis", "sketch-simplification", "speaker-recognition",
    "speech-recognition", "speech-synthesis", "style-transfer", "table-recognition",
    "temporal-localization", "text-classification", "text-direction-classification",
    "text-embedding", "text-encoder", "text-to-image", "text-to-video", "traffic-prediction",
    "video-classification", "video-denoising", "video-predictive-learning", "video-segmentation",
    "vision-language", "word-embedding", "zero-shot-learning",
))
# fmt: on


# Over all tasks: what is shown first and sorted by, in this order. All of them are shares.
LEADING = ("top1", "map", "ap", "miou", "f1", "acc", "accuracy")
# Of all metrics in the index, those of which less is better.
LOWER_IS_BETTER = frozenset(
    ("mae", "mse", "rmse", "mape", "wer", "cer", "loss", "mr", "ids", "fid", "perplexity")
)


def leading(metrics: Mapping[str, float]) -> tuple[str, float] | None:
    """The metric a table shows: the first of the usual ones, else the first there is."""
    for name in LEADING:
        if name in metrics:
            return name, metrics[name]
    return next(iter(metrics.items()), None)


Rank = tuple[int, str, bool, float]


def rank(metrics: Mapping[str, float]) -> Rank:
    """What models are sorted by: the usual metrics first, best first within each; models without
    one last."""
    metric = leading(metrics)
    if metric is None:
        return (len(LEADING) + 1, "", False, 0.0)
    name, value = metric
    if name not in LEADING:
        return (len(LEADING), name, False, value if name in LOWER_IS_BETTER else -value)
    # Some publishers give shares of 1, and a few without their point.
    percent = 100 * value if value <= 1 else value
    return (LEADING.index(name), name, percent > 100, -percent)


# What Chinese users type -> the words that descriptions, tasks and data sets have for it. Any of
# the alternatives will do.
CHINESE: dict[str, tuple[str, ...]] = {
    "人脸检测": ("face detection",),
    "人脸识别": ("face recognition", "face"),
    "人脸": ("face",),
    "目标检测": ("object detection",),
    "物体检测": ("object detection",),
    "检测": ("detection",),
    "目标跟踪": ("object tracking",),
    "跟踪": ("tracking",),
    "图像分类": ("image classification",),
    "图片分类": ("image classification",),
    "视频分类": ("video classification",),
    "文本分类": ("text classification",),
    "情感分析": ("sentiment analysis", "emotion classification"),
    "情感": ("sentiment", "emotion"),
    "分类": ("classification",),
    "语义分割": ("semantic segmentation",),
    "实例分割": ("instance segmentation",),
    "医学分割": ("unet",),
    "视频分割": ("video segmentation",),
    "分割": ("segmentation",),
    "机器翻译": ("machine translation",),
    "翻译": ("translation",),
    "语言模型": ("language model",),
    "预训练": ("language model", "bert", "gpt"),
    "命名实体识别": ("named entity recognition",),
    "实体识别": ("named entity recognition",),
    "问答": ("natural language understanding", "question answering", "squad"),
    "完形填空": ("fill mask",),
    "文本向量": ("text embedding",),
    "阅读理解": ("squad", "natural language understanding"),
    "对话": ("dialogue",),
    "自然语言": ("natural language", "language model"),
    "文字检测": ("scene text detection",),
    "文本检测": ("scene text detection",),
    "文字识别": ("scene text recognition",),
    "文本识别": ("scene text recognition",),
    "光学字符识别": ("optical character recognition", "scene text", "ocr"),
    "文档": ("document", "layout"),
    "表格": ("table",),
    "版面": ("layout",),
    "关键点检测": ("keypoint detection",),
    "关键点": ("keypoint",),
    "人体姿态": ("pose estimation", "keypoint detection"),
    "姿态估计": ("pose estimation", "keypoint detection"),
    "姿态": ("pose",),
    "行人重识别": ("re identification",),
    "重识别": ("re identification",),
    "行人": ("pedestrian", "person"),
    "人群计数": ("crowd counting",),
    "超分辨率": ("super resolution",),
    "超分": ("super resolution",),
    "去噪": ("denoising",),
    "去模糊": ("deblurring",),
    "图像修复": ("inpainting", "denoising"),
    "抠图": ("matting",),
    "风格迁移": ("style transfer",),
    "图像生成": ("image generation",),
    "文生图": ("text to image",),
    "文生视频": ("text to video",),
    "生成": ("generation",),
    "检索": ("retrieval",),
    "深度估计": ("depth estimation",),
    "光流": ("optical flow",),
    "边缘检测": ("edge detection",),
    "显著性": ("salient",),
    "缺陷检测": ("defect detection",),
    "缺陷": ("defect",),
    "点云": ("point cloud",),
    "三维": ("point cloud", "3d"),
    "语音识别": ("speech recognition",),
    "语音合成": ("speech synthesis",),
    "声纹识别": ("speaker recognition",),
    "说话人": ("speaker",),
    "关键词识别": ("keyword spotting",),
    "语音": ("speech",),
    "音频": ("audio",),
    "推荐": ("recommender",),
    "点击率": ("click through rate",),
    "知识图谱": ("knowledge graph",),
    "图神经网络": ("graph",),
    "强化学习": ("reinforcement learning",),
    "交通预测": ("traffic prediction",),
    "科学计算": ("scientific computing",),
    "词向量": ("word embedding",),
    "视频": ("video",),
    "图文": ("image text", "vision language"),
    "多模态": ("multi modal", "vision language", "image text"),
    "零样本": ("zero shot",),
    "医学": ("medical", "unet"),
    "遥感": ("remote sensing", "dota"),
    "手写": ("mnist", "handwritten"),
    "数字": ("digits", "mnist"),
    "车牌": ("license plate", "plate"),
    "车辆": ("vehicle",),
    "人体": ("person", "human"),
    "中文": ("chinese",),
    "轻量": ("mobile", "tiny", "lite"),
    "残差": ("residual", "resnet"),
}


def translated(text: str) -> tuple[str, tuple[tuple[str, ...], ...]]:
    """The words of a search that are no Chinese, and what its Chinese ones mean: for each the
    alternatives. The longest known words are taken; what is not known is left out where something
    is, and else stays.

    >>> translated("人脸检测 mobile")
    ('mobile', (('face detection',),))
    """
    if text.isascii():
        return text, ()
    rest, meanings, at = [], [], 0
    while at < len(text):
        word = next((w for n in range(6, 0, -1) if (w := text[at : at + n]) in CHINESE), "")
        if word:
            meanings.append(CHINESE[word])
            rest.append(" ")
        else:
            rest.append(text[at])
        at += len(word) or 1
    left = "".join(rest)
    if meanings:
        left = "".join(" " if "\u4e00" <= c <= "\u9fff" else c for c in left)
    return " ".join(left.split()), tuple(meanings)
