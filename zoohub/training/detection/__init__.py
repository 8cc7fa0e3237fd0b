"""Training and evaluating detectors: boxes, scenes, the YOLOv5 loss, COCO's protocol."""
