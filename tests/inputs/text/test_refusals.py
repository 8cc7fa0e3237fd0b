"""What tokenizers cannot do is one line, also where its Rust panics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from zoohub.errors import DataError
from zoohub.inputs.text.refusals import refusals
from zoohub.inputs.text.subwords import read_subwords
from zoohub.inputs.text.tokenizer import read_tokenizer
from zoohub.manifest.entry import TextContract

BPE = {"type": "BPE", "vocab": {"a": 0}, "merges": [], "unk_token": None}


def written(folder: Path, **parts: Any) -> Path:
    pytest.importorskip("tokenizers")
    file = folder / "tokenizer.json"
    known = {"version": "1.0", "added_tokens": [], "model": BPE}
    file.write_text(json.dumps({**known, **parts}))
    return file


@pytest.mark.parametrize("read", [read_tokenizer, lambda path: read_subwords(path, TextContract())])
def test_a_panic_while_reading_is_one_line(tmp_path: Path, read: Any) -> None:
    charsmap = {"type": "Precompiled", "precompiled_charsmap": "AAAA"}
    with pytest.raises(DataError, match=r"no tokenizer.*: Precompiled"):
        read(written(tmp_path, normalizer=charsmap))


@pytest.mark.parametrize("read", [read_tokenizer, lambda path: read_subwords(path, TextContract())])
def test_a_text_that_cannot_be_cut_is_one_line(tmp_path: Path, read: Any) -> None:
    unknown = {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "[UNK]"}
    with pytest.raises(DataError, match=r"'b' cannot be cut by .*Missing \[UNK\]"):
        read(written(tmp_path, model=unknown)).encode("b")
    mark = {"SpecialToken": {"id": "[X]", "type_id": 0}}
    both = [{"Sequence": {"id": which, "type_id": 0}} for which in "AB"]
    template = {"type": "TemplateProcessing", "single": [mark], "pair": both, "special_tokens": {}}
    with pytest.raises(DataError, match=r"'a' cannot be cut by .*no entry found"):
        read(written(tmp_path, post_processor=template)).encode("a")
    with pytest.raises(DataError, match=r"^'a\\ud800' is no text: character 2 is half a character"):
        read(written(tmp_path)).encode("a\ud800")


def test_ctrl_c_is_no_refusal() -> None:
    with pytest.raises(KeyboardInterrupt), refusals("a"):
        raise KeyboardInterrupt
