"""The installed MindSpore, what it must be, and the oneDNN setting it needs: without importing it.

MindSpore 2.9 and newer carry a oneDNN that falls back to its slow reference kernels on processors
with AVX-512: a 3×3 convolution takes 50 to 200 times longer. `ONEDNN_MAX_CPU_ISA=AVX2` avoids
that. oneDNN reads it once, when the first operator runs.
"""

from __future__ import annotations

import os
import sys

from zoohub.errors import IncompatibleMindSpore

TYPE_CHECKING = False  # `import typing` would be a third of this module's import time
if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Literal

    OnednnStatus = Literal["unneeded", "user", "set", "too late"]

ONEDNN_VARIABLE = "ONEDNN_MAX_CPU_ISA"
SAFE_ISA = "AVX2"
OLDEST_MINDSPORE = "2.7.1"
NEWEST_MINDSPORE = "2.10"
NUMPY_TOO_NEW = (2,)
_FIRST_SLOW_VERSION = (2, 9)
# oneDNN's own codes (dnnl_cpu_isa_t): everything above AVX2 with VNNI has the AVX-512 bits.
_AVX512_BIT = 0x20

# Tells our own setting from the user's when zoohub is imported again in a child process.
ONEDNN_MARK = "ZOOHUB_ONEDNN_LIMITED"


def version_tuple(version: str) -> tuple[int, ...]:
    """`"2.10.0rc1"` -> (2, 10, 0): the leading numbers, to compare."""
    numbers: list[int] = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)


def installed_mindspore() -> str | None:
    """The version of the MindSpore that `import mindspore` would find, or None.

    Looks for the package's metadata folder; `importlib.metadata` would cost every `zoohub list`
    more than the look itself.
    """
    loaded = sys.modules.get("mindspore")
    if loaded is not None and isinstance(getattr(loaded, "__version__", None), str):
        return str(loaded.__version__)
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")  # noqa: PTH208
        except OSError:
            continue
        for name in names:
            if name.startswith("mindspore-") and name.endswith((".dist-info", ".egg-info")):
                return name.split("-")[1].removesuffix(".dist")
    return None


def check_mindspore(needed: str | None = None, what: str = "zoohub") -> str:
    """The installed version, if it is supported and not older than `needed`.

    Raises:
        IncompatibleMindSpore: there is none, it is too old for zoohub, or `what` needs a newer one.
    """
    installed = installed_mindspore()
    if installed is None:
        raise IncompatibleMindSpore(
            f"MindSpore is not installed; `pip install 'mindspore>={OLDEST_MINDSPORE}' 'numpy<2'`"
        )
    if version_tuple(installed) < version_tuple(OLDEST_MINDSPORE):
        raise IncompatibleMindSpore(
            f"MindSpore {installed} is installed; zoohub needs {OLDEST_MINDSPORE} or newer: "
            f"`pip install -U 'mindspore>={OLDEST_MINDSPORE}'`"
        )
    if needed is not None and version_tuple(installed)[:2] < version_tuple(needed)[:2]:
        raise IncompatibleMindSpore(
            f"{what} was made with MindSpore {needed}, and {installed} is installed; "
            f"`pip install -U 'mindspore>={needed}'`, or choose another checkpoint"
        )
    return installed


def processor_has_avx512(cpuinfo: str = "/proc/cpuinfo") -> bool:
    """Whether this is an x86 processor with AVX-512; taken to be so where Windows does not tell.

    The limit costs nothing on a processor without it.
    """
    try:
        with open(cpuinfo, "rb") as file:  # noqa: PTH123 - pathlib is not imported here
            head = file.read(8192)  # one processor's lines; the machine may have hundreds
    except OSError:
        return sys.platform == "win32"
    return b" avx512f" in head


def limit_onednn(environ: MutableMapping[str, str] | None = None) -> OnednnStatus:
    """Put `ONEDNN_MAX_CPU_ISA=AVX2` into the environment where MindSpore needs it.

    Returns what became of it: `unneeded` here, the `user`'s own value (left alone), `set`, or
    `too late`, where MindSpore's first operator has already run and oneDNN has settled.
    """
    environ = os.environ if environ is None else environ
    if ONEDNN_VARIABLE in environ and ONEDNN_MARK not in environ:
        return "user"
    version = installed_mindspore()
    if version is None or version_tuple(version) < _FIRST_SLOW_VERSION:
        return "unneeded"
    if not processor_has_avx512():
        return "unneeded"
    environ[ONEDNN_VARIABLE] = SAFE_ISA
    environ[ONEDNN_MARK] = "1"
    return "too late" if _onednn_uses_avx512() else "set"


def warn_if_too_late(status: OnednnStatus) -> None:
    """Say that the setting came after MindSpore's first operator."""
    if status == "too late":
        import warnings

        warnings.warn(
            f"MindSpore ran an operator before zoohub could set {ONEDNN_VARIABLE}={SAFE_ISA}, so "
            "convolutions will be 50 to 200 times slower on this processor. Import zoohub first, "
            f"or start Python with {ONEDNN_VARIABLE}={SAFE_ISA} in the environment.",
            RuntimeWarning,
            stacklevel=3,
        )


def warn_of_numpy() -> None:
    """Say that the NumPy which is there makes MindSpore's operators fail, at random."""
    import numpy

    if version_tuple(numpy.__version__) >= NUMPY_TOO_NEW:
        import warnings

        warnings.warn(
            f"numpy {numpy.__version__} is installed, with which MindSpore's operators fail at "
            "random; "
            "`pip install 'numpy<2'`",
            RuntimeWarning,
            stacklevel=2,
        )


def _onednn_uses_avx512() -> bool:
    """Ask the oneDNN that MindSpore has loaded, if it has, which instructions it settled on.

    The question itself makes oneDNN read the environment if nothing has before.
    """
    origin = getattr(sys.modules.get("mindspore"), "__file__", None)
    if origin is None:
        return False
    import ctypes
    from pathlib import Path

    for library in (Path(origin).parent / "lib").glob("libdnnl.so*"):
        try:
            onednn = ctypes.CDLL(str(library), mode=os.RTLD_NOLOAD | os.RTLD_NOW)
        except OSError:
            continue  # not loaded yet: it will read the environment when it is
        return bool(onednn.dnnl_get_effective_cpu_isa() & _AVX512_BIT)
    return False
