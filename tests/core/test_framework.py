from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from zoohub import framework
from zoohub.errors import IncompatibleMindSpore

pytestmark = pytest.mark.smoke

AVX512 = "processor : 0\nflags : fpu avx avx2 avx512f avx512bw\n"
AVX2 = "processor : 0\nflags : fpu avx avx2\n"


def test_versions_compare_by_their_numbers() -> None:
    assert framework.version_tuple("2.10.0rc1") == (2, 10, 0)
    assert framework.version_tuple("2.10") > framework.version_tuple("2.9.3")


def test_the_installed_version_is_found_without_importing_mindspore() -> None:
    code = (
        "import sys, zoohub.framework as f; print(f.installed_mindspore());"
        "assert 'mindspore' not in sys.modules; import mindspore; print(mindspore.__version__)"
    )
    lines = _python(code).stdout.split()
    assert lines[0] == lines[1]


def test_a_numpy_that_mindspore_fails_on_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    framework.warn_of_numpy()  # nothing is wrong with the one that is here
    monkeypatch.setattr("numpy.__version__", "2.4.6")
    with pytest.warns(RuntimeWarning, match=r"numpy 2\.4\.6 .* `pip install 'numpy<2'`"):
        framework.warn_of_numpy()


@pytest.mark.parametrize(("text", "has"), [(AVX512, True), (AVX2, False)])
def test_the_processor_is_read_from_its_flags(tmp_path: Path, text: str, has: bool) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(text)
    assert framework.processor_has_avx512(str(file)) is has


def test_a_processor_that_cannot_be_read_has_no_avx512(tmp_path: Path) -> None:
    assert not framework.processor_has_avx512(str(tmp_path / "missing"))


@pytest.mark.parametrize(
    ("version", "avx512", "environ", "expected"),
    [
        ("2.10.0", True, {}, "set"),
        ("2.9.0", True, {}, "set"),
        ("2.8.0", True, {}, "unneeded"),
        ("2.10.0", False, {}, "unneeded"),
        (None, True, {}, "unneeded"),
        ("2.10.0", True, {"ONEDNN_MAX_CPU_ISA": "DEFAULT"}, "user"),
    ],
)
def test_onednn_is_limited_only_where_it_is_slow(
    monkeypatch: pytest.MonkeyPatch,
    version: str | None,
    avx512: bool,
    environ: dict[str, str],
    expected: str,
) -> None:
    monkeypatch.setattr(framework, "installed_mindspore", lambda: version)
    monkeypatch.setattr(framework, "processor_has_avx512", lambda: avx512)
    monkeypatch.setattr(framework, "_onednn_uses_avx512", lambda: False)
    before = dict(environ)
    assert framework.limit_onednn(environ) == expected
    if expected == "set":
        assert environ["ONEDNN_MAX_CPU_ISA"] == "AVX2"
        # A child process inherits the setting and still knows whose it is.
        assert framework.limit_onednn(environ) == "set"
    else:
        assert environ == before


SLOW_HERE = framework.processor_has_avx512() and (
    framework.version_tuple(framework.installed_mindspore() or "0") >= (2, 9)
)
SETTLED = (
    "from zoohub.framework import _onednn_uses_avx512 as slow; import mindspore as ms;"
    "x = ms.ops.ones((2, 2)); (x @ x).asnumpy(); print('slow' if slow() else 'fast')"
)


@pytest.mark.parametrize("order", ["import zoohub, mindspore", "import mindspore, zoohub"])
@pytest.mark.slow
def test_onednn_settles_on_avx2_whichever_is_imported_first(order: str) -> None:
    done = _python(f"{order};{SETTLED}")
    # Older versions may use AVX-512: their oneDNN is fast with it.
    assert done.stdout.strip() == "fast" or not SLOW_HERE
    assert "slower" not in done.stderr


@pytest.mark.slow
def test_an_import_after_the_first_operator_says_that_it_is_too_late() -> None:
    code = (
        "import mindspore as ms; x = ms.ops.ones((2, 2)); (x @ x).asnumpy(); import zoohub; "
        "from zoohub.framework import limit_onednn; print(limit_onednn())"
    )
    done = _python(code)
    assert (done.stdout.strip() == "too late") is SLOW_HERE
    assert done.stderr.count("MindSpore ran an operator before zoohub") == int(SLOW_HERE)


def test_a_missing_old_or_too_old_mindspore_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framework, "installed_mindspore", lambda: None)
    with pytest.raises(IncompatibleMindSpore, match="not installed"):
        framework.check_mindspore()
    monkeypatch.setattr(framework, "installed_mindspore", lambda: "2.6.0")
    with pytest.raises(IncompatibleMindSpore, match=r"2\.6\.0 is installed; zoohub needs 2\.7\.1"):
        framework.check_mindspore()
    monkeypatch.setattr(framework, "installed_mindspore", lambda: "2.7.1")
    assert framework.check_mindspore("2.3", "resnet50@mindcv") == "2.7.1"
    with pytest.raises(IncompatibleMindSpore, match=r"resnet50@new was made with MindSpore 2\.9"):
        framework.check_mindspore("2.9", "resnet50@new")


def _python(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter with no oneDNN setting of anybody's."""
    environ = {k: v for k, v in os.environ.items() if "ONEDNN" not in k}
    return subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
