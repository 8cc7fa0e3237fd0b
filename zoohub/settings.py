"""Every setting zoohub has, resolved once into a frozen object that is passed on.

A setting comes from the environment, else from `zoohub.yaml` in the platform's configuration
folder, else from its default; `origins` remembers which.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoohub.errors import ZoohubError

TOKEN_PREFIX = "ZOOHUB_TOKEN_"


@dataclass(frozen=True)
class Settings:
    """The resolved settings.

    `mirrors` are base URLs or folders tried in order before a checkpoint's own sources;
    `indexes` are paths or URLs consulted before the built-in index; `timeout` is in seconds
    without a byte; `connections` bounds the parallel requests for one file; `tokens` maps the
    part of `ZOOHUB_TOKEN_<HOST>` after the prefix to its secret and never shows in `repr`; `device`
    None leaves the choice to MindSpore.
    """

    home: Path
    mirrors: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    lock: Path | None = None
    trusted_keys: tuple[str, ...] = ()
    offline: bool = False
    device: str | None = None
    connections: int = 8
    timeout: float = 30.0
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
    return Path(text).expanduser().absolute()


def _flag(text: str) -> bool:
    value = text.strip().lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("", "0", "false", "no", "off"):
        return False
    raise ValueError("write 1 or 0")


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 64:
        raise ValueError("write a whole number from 1 to 64")
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError("write a positive number of seconds")
    return number


def _device(text: str) -> str:
    name, colon, number = text.strip().lower().partition(":")
    if name not in ("cpu", "ascend") or (colon and (name == "cpu" or not number.isdigit())):
        raise ValueError("write cpu, ascend or ascend:N")
    return text.strip().lower()


# Environment variable -> (field, parser). The field's own default serves where nothing is set.
_VARIABLES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "ZOOHUB_HOME": ("home", _path),
    "ZOOHUB_MIRROR": ("mirrors", _words),
    "ZOOHUB_INDEX": ("indexes", _words),
    "ZOOHUB_LOCK": ("lock", _path),
    "ZOOHUB_TRUSTED_KEYS": ("trusted_keys", _words),
    "ZOOHUB_OFFLINE": ("offline", _flag),
    "ZOOHUB_DEVICE": ("device", _device),
    "ZOOHUB_CONNECTIONS": ("connections", _count),
    "ZOOHUB_TIMEOUT": ("timeout", _seconds),
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
    environ = os.environ if environ is None else environ
    path = file or config_file(environ)
    stored = _read_file(path)
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
            raise ZoohubError(f"{variable}={text!r} ({origin}) is not usable: {error}") from None
        origins[name] = origin
    values.setdefault("home", cache_folder(environ))
    tokens = {
        key[len(TOKEN_PREFIX) :]: value
        for key, value in {**stored, **environ}.items()
        if key.startswith(TOKEN_PREFIX) and value
    }
    return Settings(**values, tokens=tokens, origins=origins)


def variable_of(field_name: str) -> str:
    """The environment variable that sets a field of `Settings`."""
    return next(v for v, (name, _) in _VARIABLES.items() if name == field_name)


def _read_file(path: Path) -> dict[str, str]:
    """The settings file as variable -> text; empty where there is no file."""
    if not path.is_file():
        return {}
    import yaml  # only where there is a file: most processes never pay for it

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ZoohubError(f"{path} cannot be read as YAML: {error}") from None
    if not isinstance(content, dict):
        raise ZoohubError(f"{path} must map setting names to values, e.g. `ZOOHUB_OFFLINE: true`")
    stored: dict[str, str] = {}
    for key, value in content.items():
        if key not in _VARIABLES and not str(key).startswith(TOKEN_PREFIX):
            known = ", ".join(sorted(_VARIABLES))
            raise ZoohubError(f"{path}: unknown setting {key!r}; known are {known}")
        if isinstance(value, list):
            value = " ".join(str(item) for item in value)
        stored[str(key)] = "" if value is None else str(value)
    return stored
