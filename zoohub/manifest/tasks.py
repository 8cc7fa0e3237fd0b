"""The tasks an index may name: those of the published checkpoints."""

from __future__ import annotations

# fmt: off
TASKS = frozenset((
    "audio-tagging", "camera-relocalization", "click-through-rate-prediction",
    "controllable-generation", "crowd-counting", "defect-detection", "depth-estimation",
    "depth-to-image", "dialogue", "document-understanding", "edge-detection",
    "emotion-classification", "evaluation-metric", "face-detection", "graph-classification",
    "image-classification", "image-deblurring", "image-denoising", "image-encoder",
    "image-generation", "image-inpainting", "image-matting", "image-quality-assessment",
    "image-retrieval", "image-super-resolution", "image-text-matching", "image-tokenizer",
    "image-variation", "instance-segmentation", "key-information-extraction", "keypoint-detection",
    "keyword-spotting", "knowledge-graph-embedding", "language-model", "layout-analysis",
    "machine-translation", "masked-image-modeling", "meta-learning", "multi-modal",
    "named-entity-recognition", "natural-language-understanding", "neural-architecture-search",
    "object-detection", "object-tracking", "optical-flow-estimation", "point-cloud-model",
    "pose-estimation", "re-identification", "recommender-system", "reinforcement-learning",
    "salient-object-detection", "scene-text-detection", "scene-text-recognition",
    "scientific-computing", "semantic-segmentation", "sentiment-analysis", "sketch-simplification",
    "speaker-recognition", "speech-recognition", "speech-synthesis", "style-transfer",
    "table-recognition", "temporal-localization", "text-classification",
    "text-direction-classification", "text-encoder", "text-to-image", "text-to-video",
    "traffic-prediction", "video-classification", "video-denoising", "video-predictive-learning",
    "video-segmentation", "vision-language", "word-embedding", "zero-shot-learning",
))
# fmt: on
