"""Every classification network exported, and the file run beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from classifiers import Classifier, tried

from zoohub.errors import ExportError
from zoohub.exporting import Export, export_with_report

SIZES = {"batch", "height", "width"}
LARGEST = 1 << 31  # bytes that the formats can hold


def check(classifier: Classifier, path: Path) -> None:
    """Of a batch of one and of three, and where sizes are open, of another size; in float16 where
    float32 has no room in a file, which is said."""
    net, limit = classifier.filled(), classifier.limit
    options: dict[str, Any] = {"size": classifier.size, "dynamic": axes(classifier), "check": True}
    if sum(parameter.nbytes for parameter in net.get_parameters()) > LARGEST:
        with pytest.raises(ExportError, match=r"at most 2 GiB; choose dtype=float16 \(--dtype\)"):
            export_with_report(net, path, **options)
        options["dtype"], limit = "float16", classifier.half_limit
    export: Export = export_with_report(net, path, **options)
    assert {difference.shape[0] for difference in export.differences} == {1, 3}
    assert export.difference is not None
    assert export.difference.value <= limit
    assert export.metadata.family == classifier.case.family


def axes(classifier: Classifier) -> set[str]:
    return SIZES if classifier.takes_any_size else {"batch"}


@pytest.mark.parametrize("classifier", tried())
def test_an_onnx_file_takes_any_batch_and_where_it_can_any_size(
    classifier: Classifier, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    check(classifier, tmp_path / "net.onnx")


@pytest.mark.parametrize("classifier", tried(gate=False))
def test_a_mindir_file_takes_any_batch_and_where_it_can_any_size(
    classifier: Classifier, tmp_path: Path
) -> None:
    check(classifier, tmp_path / "net.mindir")
