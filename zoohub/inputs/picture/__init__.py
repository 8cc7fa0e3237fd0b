"""Pictures as networks take them: found, read, resized, normalised, by the input contract."""

from zoohub.inputs.picture.image import Picture, read_image
from zoohub.inputs.picture.transforms import Geometry, Prepared, Transform

__all__ = ["Geometry", "Picture", "Prepared", "Transform", "read_image"]
