"""What `zoohub info` says of a model, held to those who know."""

from __future__ import annotations

import pytest

from zoohub.cli.next_commands import can_learn
from zoohub.errors import ZoohubError
from zoohub.manifest.opening import open_index
from zoohub.settings import load_settings
from zoohub.tasks.finding import task_for

for library in ("cv2", "pyclipper", "shapely"):  # without which text detection trains nothing
    pytest.importorskip(library)


def test_what_info_says_of_training_is_what_the_tasks_say() -> None:
    index = open_index(load_settings())
    told = []
    for entry in map(index.entry, index.models()):
        for checkpoint in entry.checkpoints:
            spec, contract = entry.network_of(checkpoint), entry.input_of(checkpoint)
            if spec is None or contract is None or contract.text is not None:
                continue
            try:
                task = task_for(entry.task, spec)
                task.check_network(task.network_for(spec), contract)
                learns = bool(task.readers)
            except ZoohubError:
                learns = False
            assert can_learn(entry.task, spec) is learns, checkpoint.reference
            told.append(learns)
    assert {True, False} == set(told)
