"""The functions users call. Each is a few lines over the packages along the road."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoohub.errors import OfflineError, UnknownModel, UsageError, ZoohubError
from zoohub.manifest.entry import Checkpoint, Entry
from zoohub.manifest.index import Index, Resolved
from zoohub.manifest.opening import open_index
from zoohub.settings import Settings, load_settings

if TYPE_CHECKING:
    import numpy as np
    from mindspore import nn

    from zoohub.inference import Prediction
    from zoohub.provenance import PublishedWeights
    from zoohub.vision import Transform


def load(
    name: str,
    *,
    pretrained: bool = False,
    checkpoint: str | Path | None = None,
    parameters: str | None = None,
    num_classes: int | None = None,
    in_channels: int | None = None,
    features_only: bool = False,
    out_indices: Sequence[int] | None = None,
    strict: bool = True,
    dtype: str | None = None,
    device: str | None = None,
    verify: bool = False,
    progress: bool = True,
    offline: bool | None = None,
    **network_arguments: Any,
) -> nn.Cell:
    """A network by name, in evaluation mode, with its weights in place if asked for.

    Args:
        name: a model (`resnet50`), a checkpoint (`resnet50@mindcv`), any published name, or the
            folder of a fine-tuned run, whose weights are always put in.
        pretrained: fetch the checkpoint, verify it, and put its weights into the network.
        checkpoint: your own weights instead: a .ckpt, .safetensors or .pth file.
        parameters: the naming scheme of `checkpoint`; None detects it by the names in the file.
        num_classes: outputs of a new, randomly initialised head; None keeps the checkpoint's.
        in_channels: channels of the input, with a new first convolution; None keeps three or one.
        features_only: return the feature maps of `out_indices` instead of a prediction.
        out_indices: which stages' feature maps, counted from 0; None means all.
        strict: False loads what fits and warns of the rest.
        dtype: what the network computes in, `float16` or `bfloat16`; None is float32.
        device: `cpu`, `ascend` or `ascend:N`; None leaves it to ZOOHUB_DEVICE and MindSpore.
        verify: hash the stored file again, though it was verified when it came.
        progress: show a progress bar where stderr is a terminal.
        offline: True uses only what is on this machine; None follows ZOOHUB_OFFLINE.
        network_arguments: given to the network's builder.

    Returns:
        The network; `net.zoohub` says where it comes from, and `net.zoohub.report` what was
        loaded, replaced and renamed. A detector's first output is the decoded prediction.

    Raises:
        UnknownModel, AmbiguousReference: the name.
        NetworkNotAvailable: zoohub has no definition for this checkpoint's network.
        IncompatibleMindSpore: the installed MindSpore is too old for it.
        DownloadError: and its kinds, when the file cannot be had.
        CheckpointCorrupt, CheckpointMismatch: the file is damaged, or is not this network's.
    """
    from zoohub import pretrained as road

    if pretrained and checkpoint is not None:
        raise UsageError("pretrained=True and checkpoint= exclude each other; give one of them")
    return road.load_network(
        name,
        settings_for(offline=offline, device=device),
        pretrained=pretrained,
        own_weights=None if checkpoint is None else Path(checkpoint),
        layout=parameters,
        verify=verify,
        show_progress=progress,
        num_classes=num_classes,
        in_channels=in_channels,
        features_only=features_only,
        out_indices=out_indices,
        strict=strict,
        dtype=dtype,
        **network_arguments,
    )


def load_weights(
    name: str | Path, *, offline: bool | None = None, verify: bool = False
) -> dict[str, np.ndarray[Any, Any]]:
    """The parameters of a checkpoint as arrays by name; needs neither its network nor MindSpore.

    `name` is a reference, or the path of a .ckpt, .safetensors or .pth file.

    Raises:
        As `download`; CheckpointCorrupt where the file is damaged or of another kind.
    """
    from zoohub.checkpoint import load_weights as read

    path = Path(name) if is_path(name) else download(str(name), offline=offline, verify=verify)
    return read(path)


def list_models(
    pattern: str | None = None,
    *,
    task: str | None = None,
    dataset: str | None = None,
    source: str | None = None,
    format: str | None = None,
    mindspore: str | None = None,
    runnable: bool | None = None,
) -> list[str]:
    """The names of the models that fit, sorted; `runnable=True`: only networks zoohub has."""
    from zoohub.describe import model_is_runnable

    entries = open_index(load_settings()).list(
        pattern, task=task, dataset=dataset, source=source, format=format, mindspore=mindspore
    )
    return [e.model for e in entries if runnable is None or model_is_runnable(e) is runnable]


def search(text: str, *, limit: int = 50) -> list[Entry]:
    """Models whose names, tasks, data sets or publishers have all the words, best first."""
    return open_index(load_settings()).search(text, limit=limit)


def info(name: str) -> Entry:
    """What the index says of a model.

    Raises:
        UnknownModel, AmbiguousReference: the name.
    """
    return open_index(load_settings()).resolve(name).entry


def download(
    name: str, *, offline: bool | None = None, verify: bool = False, progress: bool = True
) -> Path:
    """The verified file of a checkpoint, fetched first if need be.

    Raises:
        UnknownModel, AmbiguousReference: the name.
        DownloadError: and its kinds `IntegrityError`, `OfflineError`, `NoSpaceError`,
            `AccessDenied`.
        StoreError: the cache folder cannot be written.
    """
    settings = settings_for(offline=offline)
    resolved = open_index(settings).resolve(name)
    return fetch_resolved(resolved, settings, verify=verify, show_progress=progress)


def get_weights(name: str) -> PublishedWeights:
    """A checkpoint's facts, with its preprocessing bound to them."""
    from zoohub.provenance import published_weights
    from zoohub.store import Store

    settings = load_settings()
    return published_weights(
        checkpoint_of(open_index(settings).resolve(name)), Store(settings.home)
    )


def transforms(name: str) -> Transform:
    """The callable that turns a picture into a model's input.

    It takes a path, a `PIL.Image` or a uint8 array (height, width, channels), and returns a
    float32 array in the network's own layout, without the batch axis.

    Raises:
        DataError: the publisher says nothing of the input.
    """
    return get_weights(name).transforms()


def predict(
    model: str | nn.Cell,
    inputs: Any,
    *,
    top: int = 5,
    threshold: float | None = None,
    batch_size: int = 1,
    save: str | Path | None = None,
    device: str | None = None,
    mode: str | None = None,
    offline: bool | None = None,
    progress: bool = True,
) -> list[Prediction]:
    """Classify pictures, or detect objects in them.

    Args:
        model: a reference, a run's folder, a network from `load`, or an exported .mindir or .onnx
            file.
        inputs: an image file, a folder, a glob, a `PIL.Image`, a uint8 array, or a list of them.
        top: labels per picture, for classification.
        threshold: least score shown, 0 to 1; None is 0.25 for a detection, 0 for a class.
        batch_size: pictures at a time.
        save: where to draw detections: a file for one picture, a folder for several.
        device: as for `load`.
        mode: `graph` or `pynative`; None is the process's own.
        offline: as for `load`.
        progress: as for `load`.

    Returns:
        One `Prediction` for each picture, in order; one that cannot be read carries its error.
    """
    from zoohub import predicting

    settings = settings_for(offline=offline, device=device)
    predictor = predicting.open_predictor(model, settings, mode=mode, show_progress=progress)
    return list(
        predicting.predict_with(
            predictor, inputs, top=top, threshold=threshold, batch_size=batch_size, save=save
        )
    )


def export(
    model: str | Path | nn.Cell,
    path: str | Path,
    *,
    device: str | None = None,
    offline: bool | None = None,
    progress: bool = True,
    **options: Any,
) -> Path:
    """Write a network for another runtime; the file's suffix, or `format=`, says which.

    `model` is a network, or what `load` takes, a run's folder included (as a `Path`, it is always
    that): then it is loaded with its weights. The options are those of
    `zoohub.exporting.plan_export`: `batch`, `size`, `dynamic`, `dtype`, `fold_bn`, `check`, `nms`,
    `quantize`, …

    Raises:
        ExportError: the format cannot be written, or `check` found the file to differ.
        As `load`, where `model` is a name.
    """
    from zoohub.exporting import export_network

    net = model
    if isinstance(model, str | Path):
        # `Path("./flowers")` has lost the mark of a path.
        name = model if isinstance(model, str) else str(model.expanduser().absolute())
        net = load(name, pretrained=True, device=device, offline=offline, progress=progress)
    return export_network(net, path, **options)


def settings_for(*, offline: bool | None = None, device: str | None = None) -> Settings:
    """The settings, with what a call overrides."""
    settings = load_settings()
    if offline is not None:
        settings = replace(settings, offline=offline)
    if device is not None:
        settings = replace(settings, device=device)
    return settings


def is_path(name: str | Path) -> bool:
    """Whether a name is a path: it begins with `.`, `/`, `~` or a drive letter."""
    if isinstance(name, Path):
        return True
    drive = len(name) > 2 and name[0].isalpha() and name[1] == ":" and name[2] in "\\/"
    return name.startswith((".", "/", "~")) or drive


def checkpoint_of(resolved: Resolved) -> Checkpoint:
    """The checkpoint a reference means.

    Raises:
        UnknownModel: the model has no published file.
    """
    if resolved.checkpoint is None:
        raise UnknownModel(
            f"{resolved.entry.model} has no published checkpoint; give your own with checkpoint="
        )
    return resolved.checkpoint


def fetch_resolved(
    resolved: Resolved,
    settings: Settings,
    *,
    verify: bool = False,
    show_progress: bool = True,
) -> Path:
    """Fetch what a reference means; an `OfflineError` names what would work without a network."""
    from zoohub.store import Store
    from zoohub.transfer import Bar, Silent, fetch

    checkpoint = checkpoint_of(resolved)
    if verify:
        Store(settings.home).find(checkpoint, verify=True)  # a damaged file is set aside
    try:
        return fetch(checkpoint, settings, progress=Bar() if show_progress else Silent())
    except OfflineError as error:
        raise with_offline_hint(error, resolved.entry, open_index(settings)) from error


def with_offline_hint(error: ZoohubError | None, entry: Entry, index: Index) -> ZoohubError:
    """The error itself; an `OfflineError` also names what ships with zoohub in the same family."""
    if error is None:
        raise ValueError("there is no error to describe")
    if not isinstance(error, OfflineError):
        return error
    embedded = [
        checkpoint.reference
        for other in index.list()
        if other.family == entry.family
        for checkpoint in other.checkpoints
        if any(source.startswith("embedded:") for source in checkpoint.sources)
    ]
    if not embedded:
        return error
    return OfflineError(f"{error}\n{' and '.join(embedded)} ships with zoohub and works offline.")
