"""One call of a MindSpore network on arrays, and its outputs as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zoohub.outputs.naming import output_names
from zoohub.running.batching import plain
from zoohub.running.runner import Array, Outputs

if TYPE_CHECKING:
    from mindspore import nn


def call_network(net: nn.Cell, inputs: Sequence[Array], names: Sequence[str] | None) -> Outputs:
    """Run a Cell on one batch; `names` are those of its flattened outputs, as `output_names`."""
    import mindspore

    # Not copied: what a network remembers of a picture or a text is given it again for each token.
    tensors = [mindspore.Tensor.from_numpy(np.ascontiguousarray(array)) for array in inputs]
    found = net(*tensors)
    arrays = [as_array(output) for output in flatten(found)]
    if names is None and isinstance(found, Mapping):
        names = tuple(map(str, found))
    return dict(zip(output_names(len(arrays), names), arrays, strict=True))


def flatten(outputs: object) -> Iterator[object]:
    """Nested outputs one by one, depth first."""
    if isinstance(outputs, Mapping):
        outputs = tuple(outputs.values())
    if isinstance(outputs, tuple | list):
        for output in outputs:
            yield from flatten(output)
    else:
        yield outputs


def as_array(output: Any) -> Array:
    """A tensor (or a plain number, which some networks return besides) as an array."""
    if not hasattr(output, "asnumpy"):
        return np.asarray(output)
    if "BFloat16" in str(output.dtype):  # NumPy has no such type
        output = output.float()
    return plain(output.asnumpy())
