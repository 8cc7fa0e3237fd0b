"""A table's structure as HTML.

Tokens are those of MindOCR's dictionary, which are PubTabNet's with an ordinary cell in one piece,
`<td></td>`; a cell over several rows or columns is `<td`, its spans, `>` and `</td>`. Cells that
are empty in the picture have tokens by how PubTabNet writes the nothing in them: `<eb></eb>`,
`<eb1></eb1>`, … They have no box.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

PLAIN, SPANNING, OPENING = "<td></td>", "<td", "<td>"
CELLS = (OPENING, SPANNING, PLAIN)  # whose boxes count
_EMPTY = "<eb"
_SPAN = re.compile(r' (colspan|rowspan)="[0-9]{1,3}"')
# How deep the elements of a table lie: each ends those by its beginning that do not lie above it.
_DEPTHS = {"thead": 0, "tbody": 0, "tr": 1, "td": 2}


def as_html(tokens: Sequence[str], texts: Mapping[int, str] | None = None) -> str:
    """A page of one table; `texts` are those of cells, by the places of their tokens.

    What a network reads need not be HTML: what is still open where its frame or the table ends, or
    where what it cannot contain begins, is closed; what ends nothing, or spans nothing, is left
    out. So is what is no part of a table, as tokens may be named by a stranger's file.

    >>> as_html(["<tr>", "<td></td>", "<td", ' colspan="2"'], {1: "a < b"})
    '<html><body><table><tr><td>a &lt; b</td><td colspan="2"></td></tr></table></body></html>'
    """
    writer = _Writer()
    for place, token in enumerate(tokens):
        writer.add(token, escape((texts or {}).get(place, ""), quote=False))
    return f"<html><body><table>{writer.finished()}</table></body></html>"


class _Writer:
    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._open: list[str] = []  # names, the innermost last
        self._text: str | None = None  # of the cell whose spans are being read

    def add(self, token: str, text: str) -> None:
        """A token, and the text of the cell that it begins."""
        if self._text is not None and _SPAN.fullmatch(token):
            self._pieces.append(token)
            return
        self._end_spans()
        if token == PLAIN or token.startswith(_EMPTY):
            self._begin("td", f"<td>{text}")
            self._close("td")
        elif token == SPANNING:
            self._begin("td", token)
            self._text = text
        elif token.startswith("</"):
            self._close(token[2:-1])
        elif token.startswith("<") and token[1:-1] in _DEPTHS:
            self._begin(token[1:-1], token + text)

    def finished(self) -> str:
        """All that was written, and the ends of what is open."""
        self._end_spans()
        while self._open:
            self._close(self._open[-1])
        return "".join(self._pieces)

    def _begin(self, name: str, piece: str) -> None:
        while self._open and _DEPTHS[self._open[-1]] >= _DEPTHS[name]:
            self._close(self._open[-1])
        self._pieces.append(piece)
        self._open.append(name)

    def _end_spans(self) -> None:
        if self._text is not None:
            self._pieces.append(f">{self._text}")
            self._text = None

    def _close(self, name: str) -> None:
        while name in self._open:
            innermost = self._open.pop()
            self._pieces.append(f"</{innermost}>")
            if innermost == name:
                return
