"""Indexes written by people who mean harm, or by mistake: always ManifestError, with a place."""

from __future__ import annotations

import contextlib
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoohub.core.yaml_reader import parse_yaml
from zoohub.errors import ManifestError
from zoohub.manifest.build import compile_folder
from zoohub.manifest.family import compile_family
from zoohub.manifest.interchange import Header, read_interchange, write_interchange
from zoohub.manifest.schema import check_model
from zoohub.manifest.values import SchemaError, name_problem

HEAD = "family: f\ntask: t\nmodels:\n  m:\n    default: a\n    checkpoints:\n      a:\n"
GOOD = HEAD + "        format: ckpt\n        sources: ['https://a.example/a.ckpt']\n"


def compiled(text: str) -> list[dict[str, Any]]:
    return compile_family(parse_yaml(text.encode(), "f.yaml"))


def test_the_good_one_compiles() -> None:
    (model,) = compiled(GOOD)
    assert model["checkpoints"][0]["sources"] == ["https://a.example/a.ckpt"]


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "f.yaml:1: anchors"),
        ("a: *x\n", "f.yaml:1: aliases"),
        ("a: !!python/object/apply:os.system ['true']\n", "f.yaml:1: tags"),
        ("family: f\nfamily: g\n", "f.yaml:2: the key 'family' occurs twice"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2: more than one document"),
        ("a: [" * 40, "f.yaml:1: "),
        ("a: {b\n", "f.yaml:2: not valid YAML"),
        ("a: \x00\n", "not valid YAML"),
        ("- 1\n- 2\n", "f.yaml:1: must be a mapping"),
        ("family: f\ntask: t\n", "'models' is missing"),
        ("? [a]\n: b\n", "f.yaml:1: a key must be plain text"),
        (f"family: {'x' * 30_000}\n", "30000 characters"),
        (GOOD + "        colour: red\n", "f.yaml:10: unknown key 'colour'"),
        (GOOD + "        size: big\n", "f.yaml:10: m@a: size: must be a whole number"),
        (GOOD + "        mindspore: 1.10\n", "f.yaml:10: .*put it in quotes"),
        (GOOD + "        sha256: 123\n", "f.yaml:10: .*64 lower-case hex"),
        (GOOD + f"        sha256: {'A' * 64}\n", "f.yaml:10: .*64 lower-case hex"),
        (GOOD + "        metrics: {top1: high}\n", "f.yaml:10: .*must be a finite number"),
        (GOOD + "        metrics: {top1: .inf}\n", "f.yaml:10: "),
        (GOOD + "        aliases: [a]\n", "f.yaml:10: .*'a' is taken"),
        (GOOD + "        network: {arguments: {x: 1}}\n", "f.yaml:10: .*'builder' is missing"),
        (GOOD + "        network: {builder: n, arguments: {'import os': 1}}\n", "f.yaml:10: "),
        (GOOD + "        input: {size: [0, 224]}\n", "f.yaml:10: .*height, width"),
        (GOOD + "        records: [{uid: u}]\n", "f.yaml:10: .*'url' is missing"),
        (GOOD.replace("default: a", "default: b"), "f.yaml:5: .*'b' does not exist"),
        (GOOD.replace("https://a.example", "gopher://a"), "f.yaml:9: "),
        (GOOD.replace("a.ckpt", "../../a.ckpt"), "f.yaml:9: .*holds `..`"),
        (GOOD.replace("format: ckpt", "format: exe"), "f.yaml:8: m@a: format: must be one of"),
        (GOOD.replace("  m:", "  ../m:"), "f.yaml:4: .*no name may have"),
        (GOOD.replace("      a:", "      ../../a:"), "no name may have"),
        (GOOD.replace("  m:", "  '..':"), "f.yaml:4: .*hold `..`"),
        (GOOD.replace("  m:", '  "m\\0":'), "f.yaml:4: "),
    ],
)
def test_what_is_refused_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        compiled(text)


def test_a_hundred_megabytes_are_refused_before_they_are_parsed(tmp_path: Path) -> None:
    file = tmp_path / "t" / "f.yaml"
    file.parent.mkdir()
    with file.open("wb") as stream:
        stream.truncate(100 * 1024 * 1024)
    with pytest.raises(ManifestError, match="larger than"):
        compile_folder(tmp_path)


def test_bytes_that_are_no_text_are_refused_with_their_line() -> None:
    with pytest.raises(ManifestError, match=r"f\.yaml:2: not UTF-8"):
        parse_yaml(b"a: 1\nb: \xff\n", "f.yaml")


@given(st.text(max_size=200))
def test_any_text_compiles_or_is_a_manifest_error(text: str) -> None:
    with contextlib.suppress(ManifestError):
        compiled(text)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
_KEYS = st.sampled_from(["model", "family", "task", "default", "checkpoints", "network", "aliases"])


@given(st.dictionaries(_KEYS, _JSON))
def test_any_json_is_a_model_or_a_schema_error(model: dict[str, Any]) -> None:
    try:
        check_model(model)
    except SchemaError:
        return
    assert name_problem(model["model"]) is None


@pytest.mark.parametrize(
    "name",
    ["../x", "a/b", "..", ".hidden", "a\\b", "C:", "a b", "x" * 201, "", "a..b", "a\n", "-x"],
)
def test_no_name_can_leave_a_folder(name: str) -> None:
    assert name_problem(name)


MODEL = {
    "model": "m",
    "family": "f",
    "task": "t",
    "checkpoints": [{"id": "a", "format": "ckpt", "sources": ["https://a.example/a.ckpt"]}],
}


_DEEP = "[" * 70 + "]" * 70


def _with(more: str) -> str:
    """A sound model's line with something more in it."""
    return json.dumps(MODEL)[:-1] + f", {more}}}"


def _file(tmp_path: Path, *lines: str | bytes) -> Path:
    path = tmp_path / "index.jsonl.gz"
    with gzip.open(path, "wb") as stream:
        for line in lines:
            stream.write((line.encode() if isinstance(line, str) else line) + b"\n")
    return path


HEADER = '{"schema":1,"serial":1,"created":null,"base":null}'


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (['{"schema":2,"serial":1}'], "upgrade zoohub"),
        (["[]"], ":1: not a zoohub index"),
        (['{"schema":1,"serial":-1}'], "serial must be"),
        (['{"schema":1}'], "serial must be"),
        ([HEADER, "{"], ":2: not JSON"),
        ([HEADER, ""], r":2: not JSON: b'\\n' \(not valid JSON: Expecting value"),
        ([HEADER, "[" * 100_000], ":2: not JSON"),
        ([HEADER, "null"], ":2: .*must be a mapping"),
        ([HEADER, json.dumps({**MODEL, "default": None})], ":2: 'm': default: is null"),
        ([HEADER, json.dumps({**MODEL, "model": "../m"})], ":2: "),
        ([HEADER, json.dumps(MODEL), json.dumps(MODEL)], ":3: 'm' is not sorted"),
        ([HEADER, b"\xff"], ":2: "),
        ([HEADER, json.dumps(MODEL).encode("utf-16")], ":2: not JSON"),
        ([HEADER, json.dumps({**MODEL, "description": "\ud800"})], ":2: .*half a character"),
        ([HEADER, json.dumps({**MODEL, "flops": 10**400})], ":2: "),
        ([HEADER, _with('"flops":1e999')], ":2: 'm': flops: must be a finite number"),
        ([HEADER, _with('"flops":NaN')], ":2: not JSON"),
        ([HEADER, _with('"parameter_count":' + "9" * 5_000)], ":2: "),
        ([HEADER, _with('"flops":1,"flops":2')], ":2: not JSON: .*'flops' occurs twice"),
        ([HEADER, _with('"network":{"builder":"n","arguments":{"a":1e999}}')], ":2: .*finite"),
        (
            [HEADER, _with('"network":{"builder":"n","arguments":{"a":' + _DEEP + "}}")],
            ":2: .*deep",
        ),
        ([HEADER, _with('"network":{"builder":"n","arguments":{"\\ud800":1}}')], ":2: "),
        ([HEADER, _with('"network":{"builder":"n","arguments":{"a":{"\\ud800":1}}}')], ":2: "),
        ([HEADER, _with('"aliases":["\\ud800"]')], ":2: .*half a character"),
        ([HEADER, _with('"\\ud800":"x"')], ":2: .*unknown key"),
        ([HEADER, b" " * (9 * 1024 * 1024)], "too large"),
        ([], "not JSON"),
    ],
)
def test_a_compiled_index_is_not_believed(
    tmp_path: Path, lines: list[str | bytes], message: str
) -> None:
    with pytest.raises(ManifestError, match=message):
        list(read_interchange(_file(tmp_path, *lines))[1])


def test_a_cut_or_foreign_file_is_a_manifest_error(tmp_path: Path) -> None:
    path = _file(tmp_path, HEADER, *[json.dumps({**MODEL, "model": f"m{i:02}"}) for i in range(99)])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ManifestError, match="cannot be read"):
        list(read_interchange(path)[1])
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(ManifestError, match="cannot be read"):
        list(read_interchange(path)[1])


def test_the_same_index_gives_the_same_bytes(tmp_path: Path) -> None:
    models = [{**MODEL, "model": "a"}, {**MODEL, "model": "b"}]
    one, two = tmp_path / "1.gz", tmp_path / "2.gz"
    write_interchange(one, Header(serial=3, created="2026-01-01"), models)
    write_interchange(two, Header(serial=3, created="2026-01-01"), models)
    assert one.read_bytes() == two.read_bytes()
    header, again = read_interchange(one)
    assert header == Header(serial=3, created="2026-01-01")
    assert list(again) == models
    with pytest.raises(ManifestError, match="not sorted"):
        write_interchange(one, header, reversed(models))
