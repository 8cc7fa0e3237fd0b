"""The cache on disk: layout, claims, atomic publication, verification."""

from zoohub.store.policy import TransferPolicy
from zoohub.store.store import Store

__all__ = ["Store", "TransferPolicy"]
