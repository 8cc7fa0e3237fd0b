"""Checks of the machine zoohub runs on; each finding says what to do about it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from zoohub.core.counting import counted
from zoohub.core.paths import expanded
from zoohub.core.urls import public
from zoohub.core.values import unknown
from zoohub.errors import ZoohubError
from zoohub.framework import (
    NEWEST_MINDSPORE,
    NUMPY_TOO_NEW,
    ONEDNN_MARK,
    ONEDNN_VARIABLE,
    check_mindspore,
    limit_onednn,
    version_tuple,
)
from zoohub.manifest.opening import open_index
from zoohub.manifest.signing import public_bytes
from zoohub.settings import TOKEN_PREFIX, Settings, variables

SLOW_CONVOLUTION_MS = 100.0
_LOW_SPACE = 2_000_000_000
_FEW_FILES = 1024

# Run by a fresh interpreter: the time includes neither import nor compilation.
_CONVOLUTION = """
import time
import zoohub
import mindspore as ms, numpy as np
from mindspore import nn
x = ms.Tensor(np.ones((1, 64, 40, 40), np.float32))
net = nn.Conv2d(64, 64, 3)
net(x).asnumpy()
times = []
for _ in range(5):
    start = time.perf_counter()
    net(x).asnumpy()
    times.append(time.perf_counter() - start)
print("milliseconds", sorted(times)[2] * 1000)
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its result in words and, where it is not well, what to do."""

    check: str
    status: Literal["ok", "warning", "failure", "setting"]
    detail: str
    advice: str | None = None


def examine(settings: Settings, problems: Mapping[str, ZoohubError]) -> Iterator[Finding]:
    """Check interpreter, MindSpore, numpy, oneDNN, store, index and limits; list the settings, with
    the `problems` that some have, for which `settings` has the defaults."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding("Python", "ok", f"{version} ({sys.executable})")
    mindspore = check_framework()
    yield mindspore
    yield check_numpy()
    yield check_onednn()
    if mindspore.status != "failure":
        yield check_convolution()
    # Else they might be looked for in another folder than is meant.
    if not problems.keys() - variables().keys() and "ZOOHUB_HOME" not in problems:
        yield check_store(settings.home)
        yield check_index(settings)
    yield check_open_files()
    yield from list_settings(settings, {**check_keys(settings), **problems})
    yield from check_variables(os.environ)


def list_settings(
    settings: Settings, problems: Mapping[str, ZoohubError] = MappingProxyType({})
) -> Iterator[Finding]:
    """Every setting, its value and where that comes from, or what is wrong with it; of secrets only
    that they are set."""
    for variable in (*problems.keys() - variables().keys(), *variables()):
        if variable in problems:
            yield Finding(variable, "failure", str(problems[variable]))
            continue
        name = variables()[variable]
        value = getattr(settings, name)
        shown = " ".join(map(public, value)) if isinstance(value, tuple) else value
        origin = settings.origins.get(name, "default")
        text = "not set" if shown in (None, "") else str(shown)
        yield Finding(variable, "setting", f"{text}  ({origin})")
    for host in settings.tokens:
        yield Finding(f"ZOOHUB_TOKEN_{host}", "setting", "set (not shown)")


def check_keys(settings: Settings) -> dict[str, ZoohubError]:
    """What is wrong with the trusted keys, by their variable; empty where they are keys."""
    try:
        for key in settings.trusted_keys:
            public_bytes(key)
    except ZoohubError as error:
        return {"ZOOHUB_TRUSTED_KEYS": error}
    return {}


def check_variables(environ: Iterable[str]) -> Iterator[Finding]:
    """What looks like a setting in the environment and is none."""
    known = [*variables(), TOKEN_PREFIX]
    for name in sorted(environ):
        ours = name.startswith(TOKEN_PREFIX) or name in (*known, ONEDNN_MARK)
        if name.startswith("ZOOHUB_") and not ours:
            yield Finding(name, "warning", "set, and ignored", unknown(name, known, "setting"))


def check_framework() -> Finding:
    """MindSpore is installed, in a version zoohub knows."""
    try:
        installed = check_mindspore()
    except ZoohubError as error:
        return Finding("MindSpore", "failure", str(error))
    if version_tuple(installed)[:2] > version_tuple(NEWEST_MINDSPORE):
        return Finding(
            "MindSpore",
            "warning",
            f"{installed}, newer than zoohub was tested with",
            f"`pip install 'mindspore<={NEWEST_MINDSPORE}'` if something misbehaves",
        )
    return Finding("MindSpore", "ok", installed)


def check_numpy() -> Finding:
    """NumPy is below 2: MindSpore's operators fail at random on it."""
    import numpy

    if version_tuple(numpy.__version__) >= NUMPY_TOO_NEW:
        return Finding(
            "numpy",
            "failure",
            f"{numpy.__version__}: MindSpore's operators fail at random with numpy 2",
            "`pip install 'numpy<2'`",
        )
    return Finding("numpy", "ok", numpy.__version__)


def check_onednn() -> Finding:
    """oneDNN is kept from AVX-512 where that makes it slow."""
    status = limit_onednn()
    value = os.environ.get(ONEDNN_VARIABLE)
    detail = {
        "unneeded": "needs no setting here",
        "user": f"{ONEDNN_VARIABLE}={value}, your own setting",
        "set": f"{ONEDNN_VARIABLE}={value}, set by zoohub for this processor",
        "too late": f"{ONEDNN_VARIABLE} came after MindSpore's first operator",
    }[status]
    return Finding("oneDNN", "warning" if status == "too late" else "ok", detail)


def check_convolution() -> Finding:
    """Time one convolution in a fresh process, as a user's script would run it."""
    what = "3×3 convolution, 64→64 channels at 40×40"
    # Inherit what the user set, not what this process's own import of zoohub put there.
    child = subprocess.run(
        [sys.executable, "-c", _CONVOLUTION], capture_output=True, text=True, check=False
    )
    line = next((li for li in child.stdout.splitlines() if li.startswith("milliseconds ")), None)
    if child.returncode != 0 or line is None:
        last = (child.stderr.strip().splitlines() or ["no output"])[-1]
        return Finding("convolution", "failure", f"{what} failed: {last}")
    took = float(line.split()[1])
    if took > SLOW_CONVOLUTION_MS:
        return Finding(
            "convolution",
            "warning",
            f"{what}: {took:.0f} ms, 50 to 200 times slower than it should be",
            f"unset {ONEDNN_VARIABLE} and let zoohub choose, or set it to AVX2",
        )
    return Finding("convolution", "ok", f"{what}: {took:.1f} ms")


def check_store(home: Path) -> Finding:
    """The store's folder can be written and has room."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        return Finding(
            "store",
            "warning" if home.is_dir() else "failure",
            f"{home} cannot be written: {error.strerror}",
            "what is in it can be read; set ZOOHUB_HOME to a writable folder to download",
        )
    free = shutil.disk_usage(home).free
    detail = f"{home}, {free / 1e9:.1f} GB free"
    if free < _LOW_SPACE:
        return Finding("store", "warning", detail, "set ZOOHUB_HOME to a larger disk")
    return Finding("store", "ok", detail)


def check_index(settings: Settings) -> Finding:
    """The indexes can be read."""
    try:
        index = open_index(settings)
        return Finding("index", "ok", counted(len(index), "model"))
    except ZoohubError as error:
        return Finding("index", "failure", str(error))


def check_open_files() -> Finding:
    """MindRecord data sets open many files; some systems allow few."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return Finding("open files", "ok", "no limit")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _FEW_FILES:
        return Finding(
            "open files",
            "warning",
            f"at most {soft}: too few for large MindRecord data sets",
            f"`ulimit -n {min(4096, hard) if hard > 0 else 4096}` before training",
        )
    return Finding("open files", "ok", f"at most {soft}")


def examine_network(settings: Settings, problems: Mapping[str, ZoohubError]) -> Iterator[Finding]:
    """Ask every mirror and index for an answer, unless a setting has `problems`: it may be the one
    that says not to ask, or whom."""
    if problems:
        advice = f"mend {', '.join(problems)} first"
        yield Finding("network", "warning", "not looked at, as the settings are wrong", advice)
        return
    if settings.offline:
        yield Finding("network", "warning", "switched off (ZOOHUB_OFFLINE)")
        return
    targets = [("mirror", url) for url in settings.mirrors]
    targets += [("index", url) for url in settings.indexes]
    if not targets:
        yield Finding("network", "ok", "no mirror and no index of your own are set")
    for kind, target in targets:
        yield check_address(kind, target, settings)


def check_address(kind: str, target: str, settings: Settings) -> Finding:
    """One mirror or index: it answers, over verified TLS where it is https."""
    if not target.startswith(("http://", "https://")):
        path = expanded(target.removeprefix("file://"))
        if path.exists():
            return Finding(kind, "ok", f"{public(target)} is there")
        return Finding(kind, "failure", f"{public(target)} is not there", "check the path")
    import requests

    try:
        response = requests.head(target, timeout=settings.timeout, allow_redirects=True)
    except requests.RequestException as error:
        return Finding(
            kind,
            "failure",
            f"{public(target)} does not answer: {type(error).__name__}",
            "check the address, the proxy (HTTPS_PROXY) and the CA bundle (REQUESTS_CA_BUNDLE)",
        )
    if response.status_code >= 500 or response.status_code in (401, 403, 407):
        return Finding(kind, "failure", f"{public(target)} answers {response.status_code}")
    return Finding(kind, "ok", f"{public(target)} answers {response.status_code}")
