"""The functions users call. Each is a few lines over the packages along the road."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoohub.core.paths import local_path, model_name, name_or_path
from zoohub.core.values import checked
from zoohub.errors import UsageError
from zoohub.manifest.entry import Entry
from zoohub.manifest.opening import open_index
from zoohub.manifest.reference import is_path
from zoohub.models.fetching import checkpoint_of, fetch_named, fetch_one
from zoohub.settings import load_settings, settings_for

if TYPE_CHECKING:
    import numpy as np
    from mindspore import nn

    from zoohub.inputs.picture import Transform
    from zoohub.inputs.picture.sources import Inputs
    from zoohub.models.pipelines import Pipeline
    from zoohub.models.provenance import PublishedWeights
    from zoohub.tasks.results import AnyPrediction


@checked
def load(
    name: str | Path,
    *,
    pretrained: bool = False,
    checkpoint: str | Path | object | None = None,
    parameters: str | None = None,
    ema: bool = False,
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
    force: bool = False,
    **network_arguments: Any,
) -> nn.Cell | Pipeline:
    """A network by name, in evaluation mode, with its weights in place if asked for.

    Args:
        name: a model (`resnet50`), a checkpoint (`resnet50@mindcv`), any published name, or the
            folder of a fine-tuned run, whose weights are always put in.
        pretrained: fetch the checkpoint, verify it, and put its weights into the network.
        checkpoint: your own weights: a .ckpt, .safetensors or .pth file (where zoohub exported it,
            with its input and classes), the index of several, bytes, arrays by name, a network.
        parameters: the naming scheme of `checkpoint`, or (ending in a dot) the prefix before all
            its names; None finds both by the names in the file.
        ema: put in the moving average of the weights that training kept beside them (`ema.*` in a
            .ckpt, `ema` or `state_dict_ema` in a .pth). False puts in the plain ones, as published
            accuracies are mostly measured; a file that has nothing but the average gives that.
        num_classes: outputs of a new, randomly initialised head; None keeps the checkpoint's.
        in_channels: channels of the input; the first convolution's weights are summed for one, and
            repeated and scaled for others. None keeps the checkpoint's.
        features_only: return the feature maps of `out_indices` instead of a prediction.
        out_indices: which stages' feature maps, counted from 0; None means all.
        strict: False loads what fits and warns of the rest.
        dtype: what the network computes in, `float16` or `bfloat16`; None is float32.
        device: `cpu`, `ascend` or `ascend:N`; None leaves it to ZOOHUB_DEVICE and MindSpore.
        verify: hash the stored file again, though it was verified when it came.
        progress: show a progress bar where stderr is a terminal.
        offline: True uses only what is on this machine; None follows ZOOHUB_OFFLINE.
        force: go on though the parameters are larger than this machine's memory.
        network_arguments: given to the network's builder, under its names or a publisher's; of a
            pipeline, the name of the network to put in a step's place.

    Returns:
        The network, or a `Pipeline` of several; `net.zoohub` says where it comes from, and its
        `report` what was loaded, replaced and renamed. A detector's first output is the decoded
        prediction.

    Raises:
        UnknownModel, AmbiguousReference: the name.
        NetworkNotAvailable: zoohub has no definition for this checkpoint's network.
        IncompatibleMindSpore: the installed MindSpore is too old for it.
        NotEnoughMemory: this machine cannot hold its parameters.
        DownloadError: and its kinds, when the file cannot be had.
        CheckpointCorrupt, CheckpointMismatch: the file is damaged, or is not this network's.
    """
    from zoohub.models.pipelines import load_named
    from zoohub.models.request import LoadRequest
    from zoohub.networks.options import NetworkOptions

    if pretrained and checkpoint is not None:
        raise UsageError("pretrained=True and checkpoint= exclude each other; give one of them")
    options = NetworkOptions(
        num_classes, in_channels, features_only, out_indices, parameters, ema, strict, dtype=dtype
    )
    request = LoadRequest(
        pretrained, checkpoint, verify, progress, force, options, network_arguments
    )
    return load_named(name_or_path(name), settings_for(offline=offline, device=device), request)


@checked
def load_weights(
    name: str | Path | object, *, offline: bool | None = None, verify: bool = False
) -> dict[str, np.ndarray[Any, Any]]:
    """The parameters of a checkpoint as arrays by name; needs neither its network nor MindSpore.

    `name` is a reference, or your own: the path of a .ckpt, .safetensors or .pth file or of an
    index of several, its bytes, or an open file. A file of your own is read, and compared with its
    own checksums where it has some; a published one is mapped.

    Raises:
        As `download`; CheckpointCorrupt where the file is damaged or of another kind.
    """
    from zoohub.checkpoint import opening

    if not isinstance(name, str) or is_path(name):
        return dict(opening.open_weights(name))
    file = fetch_one(model_name(name), settings_for(offline=offline), verify=verify)
    return opening.load_weights(file, published=True)


@checked
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
    from zoohub.models.describing import model_is_runnable

    index = open_index(load_settings())
    entries = index.list(
        pattern, task=task, dataset=dataset, source=source, format=format, mindspore=mindspore
    )
    return [e.model for e in entries if runnable is None or model_is_runnable(e, index) is runnable]


@checked
def search(text: str, *, limit: int = 50) -> list[Entry]:
    """Models whose names, tasks, data sets or publishers have all the words, best first."""
    from zoohub.manifest.entry import Entries

    return Entries(open_index(load_settings()).search(text, limit=limit))


@checked
def info(name: str) -> Entry:
    """What the index says of a model. Raises UnknownModel or AmbiguousReference for the name."""
    return open_index(load_settings()).resolve(model_name(name)).entry


@checked
def download(
    name: str, *, offline: bool | None = None, verify: bool = False, progress: bool = True
) -> Path | list[Path]:
    """The verified file of a checkpoint, fetched if need be; of a pipeline a list of its steps'.

    Raises:
        UnknownModel, AmbiguousReference: the name.
        DownloadError: and its kinds `IntegrityError`, `OfflineError`, `NoSpaceError`,
            `AccessDenied`.
        StoreError: the cache folder cannot be written.
    """
    given = settings_for(offline=offline)
    return fetch_named(model_name(name), given, verify=verify, show_progress=progress)


@checked
def get_weights(name: str) -> PublishedWeights:
    """A checkpoint's facts, with its preprocessing bound to them."""
    from zoohub.models.provenance import published_weights
    from zoohub.store import Store

    settings = load_settings()
    checkpoint = checkpoint_of(open_index(settings).resolve(model_name(name)))
    return published_weights(checkpoint, Store(settings.home))


@checked
def transforms(name: str) -> Transform:
    """The callable that turns a picture into a model's input.

    It takes a path, a `PIL.Image` or a uint8 array (height, width, channels), and returns a
    float32 array in the network's own layout, without the batch axis.

    Raises:
        DataError: the publisher says nothing of the input. UsageError: it reads text.
    """
    return get_weights(name).transforms()


@checked
def predict(
    model: str | Path | nn.Cell | Pipeline,
    inputs: Any,
    *,
    top: int | None = None,
    threshold: float | None = None,
    batch_size: int = 1,
    save: str | Path | None = None,
    steps: Mapping[str, object] | None = None,
    task: str | None = None,
    checkpoint: object = None,
    parameters: str | None = None,
    num_classes: int | None = None,
    ema: bool = False,
    device: str | None = None,
    mode: str | None = None,
    engine: str | None = None,
    offline: bool | None = None,
    progress: bool = True,
    force: bool = False,
    **options: object,
) -> list[AnyPrediction]:
    """Predict what the model is for: the classes of pictures, the objects in them, translations.

    Args:
        model: a reference, a run's folder, what `load` gave, or an exported .mindir or .onnx file.
        inputs: an image file, a folder, a glob, a URL, a file's bytes or an open file, a
            `PIL.Image`, a uint8 array, or a list of them; of text, texts, token ids, .txt, .jsonl.
        top: most results, where the task ranks them; None is 5 classes or words, 1 answer.
        threshold: least score shown, 0 to 1; None is 0.25 for a detection, 0 for a class.
        batch_size: inputs at a time.
        save: where to draw detections: a file for one picture, a folder for several.
        steps: networks to put in the place of a pipeline's own, by the names of its steps.
        task: what to ask of a network by name that was made for something else: `embeddings`, the
            vectors of texts, of every text encoder, whose head is left out; None: its own.
        checkpoint, parameters, num_classes, ema: weights of your own for the model that is named,
            as for `load`.
        device: as for `load`.
        mode: `graph` or `pynative`; None is the process's own.
        engine: what computes: `mindspore`, `onnxruntime`, or `auto`, which is onnxruntime on a CPU
            where it is installed; None follows ZOOHUB_ENGINE.
        offline, progress, force: as for `load`; offline, a URL is refused too.
        options: further ones of its task: `iou` of detections, `vocab`, a file of tokens, of text.

    Returns:
        One `Prediction` for each input, in order; one that cannot be read carries its error.
    """
    from zoohub.tasks.results import Predictions

    found = predict_stream(
        model,
        inputs,
        batch_size=batch_size,
        save=save,
        steps=steps,
        task=task,
        checkpoint=checkpoint,
        parameters=parameters,
        num_classes=num_classes,
        ema=ema,
        device=device,
        mode=mode,
        engine=engine,
        offline=offline,
        progress=progress,
        force=force,
        top=top,
        threshold=threshold,
        **options,
    )
    return Predictions(found)


@checked
def predict_stream(
    model: str | Path | nn.Cell | Pipeline,
    inputs: Inputs,
    *,
    batch_size: int = 1,
    save: str | Path | None = None,
    steps: Mapping[str, object] | None = None,
    task: str | None = None,
    checkpoint: object = None,
    parameters: str | None = None,
    num_classes: int | None = None,
    ema: bool = False,
    device: str | None = None,
    mode: str | None = None,
    engine: str | None = None,
    offline: bool | None = None,
    progress: bool = True,
    force: bool = False,
    **options: object,
) -> Iterator[AnyPrediction]:
    """`predict` for many inputs: each comes as soon as it is there, and none is kept.

    The arguments are those of `predict`. They are checked, and the network is opened, at once.
    """
    from zoohub.models.request import weights_request
    from zoohub.predicting import open_any, predict_inputs
    from zoohub.predicting.known import check_options
    from zoohub.predicting.remote import fetch_pictures

    settings = settings_for(offline=offline, device=device, engine=engine)
    request = weights_request(
        checkpoint, parameters, num_classes=num_classes, ema=ema, force=force, progress=progress
    )
    check_options(model, options, settings, task)
    fetched = fetch_pictures(inputs, settings)  # before a network, which is larger
    predictor = open_any(model, settings, mode=mode, request=request, steps=steps, task=task)
    return predict_inputs(predictor, fetched, options, batch_size=batch_size, save=save)


@checked
def export(
    model: str | Path | nn.Cell | Pipeline,
    path: str | Path,
    *,
    checkpoint: object = None,
    parameters: str | None = None,
    num_classes: int | None = None,
    ema: bool = False,
    device: str | None = None,
    offline: bool | None = None,
    progress: bool = True,
    force: bool = False,
    **options: object,
) -> Path:
    """Write a network for another runtime; the file's suffix, or `format=`, says which.

    `model` is a network, or what `load` takes, a run's folder included (as a `Path`, it is always
    that): then it is loaded with its weights, or those of `checkpoint`. Options: those of
    `zoohub.exporting.plan_export`: `batch`, `size`, `dynamic`, `dtype`, `fold_bn`, `quantize`, …
    Of a pipeline, `path` is a folder: each network's file, and a JSON file that `predict` takes.

    Raises:
        UsageError: an option that there is not, or a value of another kind.
        ExportError: the format cannot be written, or `check` found the file to differ.
        As `load`, where `model` is a name.
    """
    from zoohub.exporting.anything import export_anything
    from zoohub.models.request import weights_request

    request = weights_request(
        checkpoint, parameters, num_classes=num_classes, ema=ema, force=force, progress=progress
    )
    settings = settings_for(offline=offline, device=device)
    return export_anything(model, local_path(path), settings, request, options)
