"""`python index/importer FACTS INDEX`: see `command`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from importer.command import main

sys.exit(main())
