"""PyTorch reads what zoohub writes, and the reverse: `python tests/checkpoint/compare_torch.py`.

Run by hand where PyTorch is installed; the test suite has files that PyTorch wrote instead.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch

from zoohub.checkpoint import load_weights, write_pth


def main() -> None:
    """Write, read, write and read again; an assertion fails where a value differs."""
    rng = np.random.default_rng(0)
    arrays = {
        "conv.weight": rng.standard_normal((4, 3, 3, 3)).astype(np.float32),
        "half": rng.standard_normal(5).astype(np.float16),
        "count": np.asarray(7, np.int64),
        "empty": np.zeros((0, 3), np.float32),
    }
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "ours.pth"), Path(folder, "theirs.pth")
        state = torch.load(write_pth(ours, arrays), weights_only=True)
        torch.save(state, theirs)
        read = load_weights(theirs)
    for name, array in arrays.items():
        assert np.array_equal(state[name].numpy(), array), name
        assert np.array_equal(read[name], array), name
    print(f"{len(arrays)} tensors agree both ways with PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
