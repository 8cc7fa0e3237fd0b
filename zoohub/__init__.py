"""zoohub: MindSpore's published networks, by name, with their weights in them.

    >>> import zoohub
    >>> net = zoohub.load("yolov5", pretrained=True)             # doctest: +SKIP
    >>> zoohub.predict("resnet50", "cat.jpg", top=5)             # doctest: +SKIP
    >>> zoohub.list_models("lenet*")
    ['lenet5']

A name goes one road: reference -> manifest -> transfer -> store -> checkpoint -> network. Every
file is verified on the way; a parameter that does not fit is an error, never a warning.

Importing zoohub imports nothing heavy. Its one effect is the oneDNN setting of
`zoohub.framework`, which has to come before MindSpore's first operator.
"""

from __future__ import annotations

from zoohub._version import __version__
from zoohub.framework import limit_onednn as _limit_onednn
from zoohub.framework import warn_if_too_late as _warn_if_too_late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zoohub.api import (
        download,
        export,
        get_weights,
        info,
        list_models,
        load,
        load_weights,
        predict,
        predict_stream,
        search,
        transforms,
    )
    from zoohub.predicting.measuring import evaluate
    from zoohub.training.finetuning import finetune

__all__ = [
    "__version__",
    "download",
    "evaluate",
    "export",
    "finetune",
    "get_weights",
    "info",
    "list_models",
    "load",
    "load_weights",
    "predict",
    "predict_stream",
    "search",
    "transforms",
]

_warn_if_too_late(_limit_onednn())


_HOMES = {"evaluate": "zoohub.predicting.measuring", "finetune": "zoohub.training.finetuning"}


def __getattr__(name: str) -> Any:
    """Import a function's module when the function is first asked for."""
    if name in __all__:
        import importlib

        return getattr(importlib.import_module(_HOMES.get(name, "zoohub.api")), name)
    raise AttributeError(f"module 'zoohub' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
