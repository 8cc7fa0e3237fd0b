"""A mirror: checkpoints' files in a folder that any static web server can serve, the index and
the hashes that belong to them, signatures, and pages to browse.

    index.jsonl.gz   manifest.json   index.html   LICENCES.txt      (and .sig of the first two)
    <host>/<path>    each file where its first source has it
    .zoohub/         while a sync is at work: unfinished downloads, the journal, the lock
"""

from zoohub.mirror.prune import PruneReport, prune
from zoohub.mirror.selection import Selection, select
from zoohub.mirror.server import make_server
from zoohub.mirror.sync import SyncOptions, SyncReport, sync
from zoohub.mirror.target import Target, open_target
from zoohub.mirror.verify import VerifyReport, verify

__all__ = [
    "PruneReport",
    "Selection",
    "SyncOptions",
    "SyncReport",
    "Target",
    "VerifyReport",
    "make_server",
    "open_target",
    "prune",
    "select",
    "sync",
    "verify",
]
