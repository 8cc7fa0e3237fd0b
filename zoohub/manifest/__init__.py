"""The index: which models there are, what their checkpoints are, and what a reference means.

`opening.open_index(settings)` gives the `index.Index`; its `resolve`, `entry`, `list` and `search`
answer with the frozen dataclasses of `entry`. Nothing here imports MindSpore or touches the
network, except `remote`, which fetches an index when told to. Whoever needs an entry's class only,
a transfer say, imports that module and no database.
"""
