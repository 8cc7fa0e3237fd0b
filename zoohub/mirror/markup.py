"""What the catalogue's pages have in common: templates, inline style and script, their policy."""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
import json
import re
from functools import lru_cache

_SLOT = re.compile(r"\{\{(\w+)\}\}")


def fill(template: str, styles: tuple[str, ...], script: str, **slots: str) -> bytes:
    """A page from the files of `pages/`; `slots` are HTML.

    Its Content-Security-Policy lets its one script and its one style in, and nothing else.
    """
    style, code = "".join(map(_part, styles)), _part(script)
    policy = (
        f"default-src 'none'; script-src {_source(code)}; style-src {_source(style)}; "
        "base-uri 'none'; form-action 'none'"
    )
    known = {**slots, "style": style, "script": code, "policy": policy}
    text = _SLOT.sub(lambda match: known[match[1]], _part(template))
    return text.encode("utf-8", "replace")  # lone surrogates cannot be written as UTF-8


def embedded_json(value: object) -> str:
    """JSON that may stand inside a `<script>` element: no character in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def amount(value: float, units: tuple[str, ...]) -> str:
    """A number in the largest unit of a thousand that fits: `2.57 M`."""
    unit = 0
    while value >= 1000 and unit < len(units) - 1:
        value /= 1000
        unit += 1
    if unit == 0:
        return f"{value:g}{units[0]}"
    return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f}{units[unit]}"


@lru_cache(maxsize=16)
def _part(name: str) -> str:
    resource = importlib.resources.files("zoohub.mirror") / "pages" / name
    return resource.read_text(encoding="utf-8")


@lru_cache(maxsize=16)
def _source(content: str) -> str:
    """How a Content-Security-Policy names an inline element: by the hash of its content."""
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    return f"'sha256-{digest}'"
