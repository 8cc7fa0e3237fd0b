"""Every classification network exported, and the file run beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from classifiers import Classifier, tried

from zoohub.exporting import Export, export_with_report

SIZES = {"batch", "height", "width"}


def exported(classifier: Classifier, path: Path, dynamic: set[str]) -> Export:
    return export_with_report(
        classifier.filled(), path, size=classifier.size, dynamic=dynamic, check=True
    )


def check(classifier: Classifier, export: Export) -> None:
    """Of a batch of one and of three, and where sizes are open, of another size."""
    assert {difference.shape[0] for difference in export.differences} == {1, 3}
    assert export.difference is not None
    assert export.difference.value <= classifier.limit
    assert export.metadata.family == classifier.case.family


def axes(classifier: Classifier) -> set[str]:
    return SIZES if classifier.takes_any_size else {"batch"}


@pytest.mark.parametrize("classifier", tried())
def test_an_onnx_file_takes_any_batch_and_where_it_can_any_size(
    classifier: Classifier, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    check(classifier, exported(classifier, tmp_path / "net.onnx", axes(classifier)))


@pytest.mark.parametrize("classifier", tried(gate=False))
def test_a_mindir_file_takes_any_batch_and_where_it_can_any_size(
    classifier: Classifier, tmp_path: Path
) -> None:
    check(classifier, exported(classifier, tmp_path / "net.mindir", axes(classifier)))
