"""Makes this folder's helpers importable: `weights_rule` and `cases`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
