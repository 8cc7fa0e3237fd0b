"""Export of whatever has a name, or is a network or a pipeline already."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zoohub.core.paths import name_or_path
from zoohub.errors import UsageError
from zoohub.exporting.export import export_network
from zoohub.exporting.pipelines import check_pipeline, description_path, export_pipeline
from zoohub.exporting.request import check_apart, plan_export
from zoohub.exporting.sequences import check_named
from zoohub.models.pipelines import Pipeline, load_named, pipeline_called
from zoohub.models.request import LoadRequest
from zoohub.settings import Settings

if TYPE_CHECKING:
    from mindspore import nn


def export_anything(
    model: str | Path | nn.Cell | Pipeline,
    target: Path,
    settings: Settings,
    request: LoadRequest,
    options: dict[str, object],
) -> Path:
    """See `zoohub.export`; of a pipeline `target` is a folder, and the path that of the JSON file
    there."""
    if isinstance(model, Pipeline):
        return _pipeline(model, target, options)
    if hasattr(model, "parameters_dict"):
        if request.own_weights is not None:
            raise UsageError("checkpoint= goes with a model's name; this network has its weights")
        return export_network(model, target, **options)
    name = name_or_path(model)
    entry = pipeline_called(name, settings)
    if entry is not None:
        check_pipeline(name, options)  # refused before anything is fetched
        return _pipeline(load_named(name, settings, request), target, options)
    plan = plan_export(target, **options)
    check_apart(plan, request.own_file)
    check_named(name, plan, settings)
    return export_network(load_named(name, settings, request), target, **options)


def _pipeline(pipeline: Pipeline, folder: Path, options: dict[str, object]) -> Path:
    for _ in export_pipeline(pipeline, folder, options):
        continue
    return description_path(folder, pipeline.entry.model)
