"""Placeholder replaced before the first release build."""
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Hook(BuildHookInterface):
    """Nothing to build yet."""
