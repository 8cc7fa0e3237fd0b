"""Every setting zoohub has, resolved once into a frozen object that is passed on.

A setting comes from the environment, else from `zoohub.yaml` in the platform's configuration
folder, else from its default; `origins` remembers which.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from zoohub.core.escaping import brief
from zoohub.errors import UsageError, ZoohubError

TOKEN_PREFIX = "ZOOHUB_TOKEN_"
ENGINES = ("auto", "mindspore", "onnxruntime")


@dataclass(frozen=True)
class Settings:
    """The resolved settings.

    `mirrors` are base URLs or folders tried in order before a checkpoint's own sources;
    `indexes` are paths or URLs consulted before the built-in index; `timeout` is in seconds
    without a byte; `max_pixels` is how many a picture to be read may have; `connections` bounds the
    parallel requests for one file; `tokens` maps the part of `ZOOHUB_TOKEN_<HOST>` after the prefix
    to its secret and never shows in `repr`; `device` None leaves the choice to MindSpore; `engine`
    says what computes predictions: `auto`, `mindspore` or `onnxruntime`; `engine_asked` that a
    call or a command names it, which an exported file of another runtime contradicts.
    """

    home: Path
    mirrors: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    lock: Path | None = None
    trusted_keys: tuple[str, ...] = ()
    offline: bool = False
    device: str | None = None
    engine: str = "auto"
    engine_asked: bool = False
    connections: int = 8
    timeout: float = 30.0
    max_pixels: int = 89_478_485  # where Pillow begins to warn
    allow_http: bool = False
    replace_models: bool = False
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    origins: Mapping[str, str] = field(default_factory=dict, repr=False)


def cache_folder(environ: Mapping[str, str]) -> Path:
    """The platform's folder for caches, with `zoohub` in it."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "zoohub"
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "zoohub"
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zoohub"


def config_file(environ: Mapping[str, str]) -> Path:
    """Where `zoohub.yaml` is looked for."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "zoohub.yaml"
    if sys.platform == "win32":
        return Path(environ.get("APPDATA") or Path.home() / "AppData/Roaming") / "zoohub.yaml"
    return Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "zoohub.yaml"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise ValueError("there is no such home folder") from None


def _home(text: str) -> Path:
    path = _path(text)
    if os.path.lexists(path) and not os.path.isdir(path):  # noqa: PTH112 - never raises
        raise ValueError("that is no folder; name one, which is made where there is none")
    return path


def _mirrors(text: str) -> tuple[str, ...]:
    return tuple(map(_mirror, _words(text)))


def _mirror(base: str) -> str:
    scheme, colon, rest = base.partition("://")
    if not colon:
        return base
    if scheme.lower() not in ("http", "https", "file"):
        from zoohub.core.urls import redact

        raise ValueError(f"{redact(base)} is no http:, https: or file: URL, nor a folder")
    return scheme.lower() + colon + rest


def _flag(text: str) -> bool:
    value = text.strip().lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("", "0", "false", "no", "off"):
        return False
    raise ValueError("write 1 or 0")


def _count(text: str) -> int:
    number = int(text) if re.fullmatch(r"[0-9]{1,9}", text.strip()) else 0
    if not 1 <= number <= 64:
        raise ValueError("write a whole number from 1 to 64")
    return number


def _pixels(text: str) -> int:
    if not re.fullmatch(r"[0-9]{7,12}", text.strip()):
        raise ValueError("write a whole number of pixels, at least 1000000")
    return int(text)


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError("write a positive number of seconds")
    return number


def device_name(text: str) -> str:
    """A device as `ZOOHUB_DEVICE` and `--device` take it. Raises ValueError for what is none."""
    name = text.strip().lower()
    if not re.fullmatch(r"cpu|ascend(:[0-9]{1,4})?", name):
        raise ValueError("write cpu, ascend or ascend:N")
    return name


def engine_name(text: str) -> str:
    """An engine as `ZOOHUB_ENGINE` and `--engine` take it. Raises ValueError for what is none."""
    name = text.strip().lower()
    if name not in ENGINES:
        raise ValueError(f"write {', '.join(ENGINES[:-1])} or {ENGINES[-1]}")
    return name


# Environment variable -> (field, parser). The field's own default serves where nothing is set.
_VARIABLES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "ZOOHUB_HOME": ("home", _home),
    "ZOOHUB_MIRROR": ("mirrors", _mirrors),
    "ZOOHUB_INDEX": ("indexes", _words),
    "ZOOHUB_LOCK": ("lock", _path),
    "ZOOHUB_TRUSTED_KEYS": ("trusted_keys", _words),
    "ZOOHUB_OFFLINE": ("offline", _flag),
    "ZOOHUB_DEVICE": ("device", device_name),
    "ZOOHUB_ENGINE": ("engine", engine_name),
    "ZOOHUB_CONNECTIONS": ("connections", _count),
    "ZOOHUB_TIMEOUT": ("timeout", _seconds),
    "ZOOHUB_MAX_PIXELS": ("max_pixels", _pixels),
    "ZOOHUB_ALLOW_HTTP": ("allow_http", _flag),
    "ZOOHUB_REPLACE_MODELS": ("replace_models", _flag),
}


def load_settings(
    environ: Mapping[str, str] | None = None, *, file: Path | None = None
) -> Settings:
    """Resolve all settings from `environ` (default: the process's) and the settings file.

    Raises:
        ZoohubError: a value cannot be parsed or the file is malformed; says which and where.
    """
    settings, problems = examine_settings(environ, file=file)
    for problem in problems.values():
        raise problem
    return settings


def examine_settings(
    environ: Mapping[str, str] | None = None, *, file: Path | None = None
) -> tuple[Settings, Mapping[str, ZoohubError]]:
    """As `load_settings`, but with the default in place of what is not usable, and with what is
    wrong, by the variable (or the file) that it is wrong with."""
    environ = os.environ if environ is None else environ
    path = file or config_file(environ)
    problems: dict[str, ZoohubError] = {}
    stored: Mapping[str, str] = {}
    try:
        stored = _read_file(path)
    except ZoohubError as error:
        problems[path.name] = error
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for variable, (name, parse) in _VARIABLES.items():
        text = environ.get(variable)
        origin = "environment"
        if text is None and variable == "ZOOHUB_OFFLINE" and "HF_HUB_OFFLINE" in environ:
            text, origin = environ["HF_HUB_OFFLINE"], "environment (HF_HUB_OFFLINE)"
        if text is None and variable in stored:
            text, origin = stored[variable], str(path)
        if not text:
            origins[name] = "default"
            continue
        try:
            values[name] = parse(text)
        except ValueError as error:
            from zoohub.core.urls import public

            why = f"is not usable: {brief(str(error))}"
            given = " ".join(map(public, text.split(" ")))
            problems[variable] = ZoohubError(f"{variable}={brief(given)!r} ({origin}) {why}")
            origin = "default"
        origins[name] = origin
    values.setdefault("home", cache_folder(environ))
    tokens = {
        key[len(TOKEN_PREFIX) :]: value
        for key, value in {**stored, **environ}.items()
        if key.startswith(TOKEN_PREFIX) and value
    }
    wanted = _ASKED.get()
    origins.update((name, "command line") for name in wanted)
    return replace(Settings(**values, tokens=tokens, origins=origins), **wanted), problems


# What the command line asks for, as `--offline`; it stands before every other source.
_ASKED: ContextVar[Mapping[str, Any]] = ContextVar("asked", default={})  # noqa: B039 - never changed


@contextlib.contextmanager
def asked(**values: Any) -> Iterator[None]:
    """Have `load_settings` give these fields of `Settings` inside the block."""
    token = _ASKED.set({**_ASKED.get(), **values})
    try:
        yield
    finally:
        _ASKED.reset(token)


def variables() -> Mapping[str, str]:
    """The environment variables, and the field of `Settings` that each sets; secrets aside."""
    return {variable: name for variable, (name, _) in _VARIABLES.items()}


def _read_file(path: Path) -> dict[str, str]:
    """The settings file as variable -> text; empty where there is no file."""
    if not path.is_file():
        return {}
    from zoohub.core.yaml_reader import (  # only where there is a file: it takes a while
        plain_text,
        read_yaml,
    )

    document = read_yaml(path, error=ZoohubError, scalar=plain_text, chinese=True)
    content = document.value or {}
    if not isinstance(content, dict):
        raise ZoohubError(f"{path} must map setting names to values, e.g. `ZOOHUB_OFFLINE: true`")
    stored: dict[str, str] = {}
    for key, value in content.items():
        if key not in _VARIABLES and not str(key).startswith(TOKEN_PREFIX):
            known = ", ".join(sorted(_VARIABLES))
            raise document.error((key,), f"unknown setting {brief(str(key))!r}; known are {known}")
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            value = " ".join(map(str, value))
        if not isinstance(value, str | None):
            raise document.error((key,), f"{key} must be one value, or a list of them")
        stored[str(key)] = value or ""
    return stored


def settings_for(
    *, offline: bool | None = None, device: str | None = None, engine: str | None = None
) -> Settings:
    """The settings, with what a call overrides.

    Raises:
        UsageError: there is no such engine.
    """
    settings = load_settings()
    if offline is not None:
        settings = replace(settings, offline=offline)
    if device is not None:
        try:
            settings = replace(settings, device=device_name(device))
        except (AttributeError, ValueError):
            raise UsageError(f"device={device!r}: write cpu, ascend or ascend:N") from None
    return with_engine(settings, engine)


def with_engine(settings: Settings, engine: str | None) -> Settings:
    """The settings with another engine; None leaves theirs.

    Raises:
        UsageError: there is no such engine.
    """
    if engine is None:
        return settings
    try:
        return replace(settings, engine=engine_name(engine), engine_asked=True)
    except ValueError as error:
        raise UsageError(f"engine={engine!r}: {error}") from None
