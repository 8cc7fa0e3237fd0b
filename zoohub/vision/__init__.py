"""Pictures in, boxes and names out: transforms, labels, postprocessing, drawing."""

from zoohub.vision.labels import class_names
from zoohub.vision.transforms import Geometry, Transform

__all__ = ["Geometry", "Transform", "class_names"]
