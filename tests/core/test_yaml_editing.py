"""A key more in a YAML file, and not a character of the rest changed."""

from __future__ import annotations

import difflib

import pytest
import yaml

from zoohub.core.yaml_editing import insert

FILES = {
    "block": "a: 1  # one\nm:\n  # first\n  x: {k: 1}   # kept\n\n# last words\n",
    "block, then more": "m:\n  x: 1\n  # of x\n# of z\nz: [1]\n",
    "no newline at the end": "m:\n  x: 1",
    "windows": "m:\r\n  x: 1 # c\r\nz: 2\r\n",
    "wide": "m:\n      x:\n        - 1\n        - 2  # two\nz: 3\n",
    "flow": "m: {x: 1}  # kept\nz: 2\n",
    "empty flow": "m: {}  # kept\nz: 2\n",
    "flow over lines": "m: {\n  x: 1,\n  }\nz: 2\n",
    "nothing": "m:  # to come\nz: 2\n",
    "nothing at the end": "z: 2\nm:",
    "a text of several lines": "m:\n  x: |\n    long\n    text\nz: 2\n",
    "a folded text at the end": "m:\n  x: >\n    long\n    text\n",
    "deep": "m:\n  x:\n    y:\n      w: 1  # deep\n# end\n",
    "a value that is empty": "m:\n  x:\nz: 1\n",
    "byte order mark": "\ufeffm:\n  x: 1\n",
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES.keys())
@pytest.mark.parametrize("value", [5, {"b": [1, "two"], "c": "1.10"}], ids=["number", "mapping"])
def test_a_key_is_put_in_and_the_rest_stays(text: str, value: object) -> None:
    result = insert(text, ["m"], "new", value)

    before, after = yaml.safe_load(text.lstrip("\ufeff")), yaml.safe_load(result.lstrip("\ufeff"))
    assert after == {**before, "m": {**(before["m"] or {}), "new": value}}
    steps = difflib.SequenceMatcher(None, text, result, autojunk=False).get_opcodes()
    assert {step[0] for step in steps} <= {"equal", "insert"}, result
    assert all(line[line.index("#") :] in result for line in text.splitlines() if "#" in line)


def test_what_cannot_be_extended_is_an_error_and_not_a_guess() -> None:
    with pytest.raises(ValueError, match="no mapping at q"):
        insert("m: 1\n", ["q"], "new", 1)
    with pytest.raises(ValueError, match="is no mapping"):
        insert("m: 1\n", ["m"], "new", 1)
    with pytest.raises(ValueError, match="comments"):
        insert("m: {x: 1, # one\n  }\n", ["m"], "new", 1)
