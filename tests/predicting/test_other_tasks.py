"""Networks whose task zoohub has no folder for."""

from __future__ import annotations

import pytest

import zoohub
from zoohub.errors import DataError


@pytest.mark.parametrize("engine", ["auto", "mindspore"])
def test_a_task_that_is_not_there_is_refused_before_anything_is_fetched(
    monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setenv("ZOOHUB_OFFLINE", "1")  # a fetch would fail otherwise
    monkeypatch.setenv("ZOOHUB_ENGINE", engine)
    with pytest.raises(DataError, match=r"'keypoint-detection' but .*can be loaded"):
        zoohub.predict("centernet", "a.jpg")
    # The index calls by one name what takes texts and what takes graphs.
    with pytest.raises(DataError, match=r"of the family gcn take .*load the network"):
        zoohub.predict("gcn", [[2, 5, 3]])
