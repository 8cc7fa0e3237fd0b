"""Where bytes come from: the store, mirrors, and a checkpoint's own sources, verified."""

from zoohub.store.policy import TransferPolicy
from zoohub.transfer.fetch import fetch
from zoohub.transfer.many import Fetched, fetch_many
from zoohub.transfer.progress import Bar, Progress, Silent

__all__ = ["Bar", "Fetched", "Progress", "Silent", "TransferPolicy", "fetch", "fetch_many"]
