"""HTML by parts: elements, text that does nothing, and what notebooks show of an object."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence

from zoohub.core.escaping import shown


def element(tag: str, *children: str, **attributes: str | bool | None) -> str:
    """HTML of an element whose `children` are HTML; `kind` is its class, None leaves one out.

    >>> element("a", text("1 < 2"), href="x?a&b", kind="back")
    '<a href="x?a&amp;b" class="back">1 &lt; 2</a>'
    """
    written = "".join(
        f" {'class' if name == 'kind' else name}"
        + ("" if value is True else f'="{html.escape(str(value))}"')
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    return f"<{tag}{written}>{''.join(children)}</{tag}>"


def text(value: object) -> str:
    """Text as HTML that shows it and does nothing else."""
    return html.escape(str(value))


def cell(value: object) -> str:
    r"""A stranger's word as HTML: on one line, what is not visible in it written out.

    >>> cell("<b>\u202egnp.exe")
    '&lt;b&gt;\\u202egnp.exe'
    """
    return text(shown(str(value)))


def table(header: Sequence[str], rows: Sequence[Sequence[object]], caption: str = "") -> str:
    """A table of strangers' words; `caption` stands above it."""
    head = element("tr", *(element("th", cell(title), scope="col") for title in header))
    body = [element("tr", *(element("td", cell(value)) for value in row)) for row in rows]
    above = (element("caption", cell(caption)),) if caption else ()
    return element("table", *above, element("thead", head), element("tbody", *body))


def facts(values: Mapping[str, object], caption: str = "") -> str:
    """A table of names and what is known under them; None and what is empty are left out."""
    rows = [
        element("tr", element("th", cell(name), scope="row"), element("td", cell(value)))
        for name, value in values.items()
        if value not in (None, "", ())
    ]
    above = (element("caption", cell(caption)),) if caption else ()
    return element("table", *above, element("tbody", *rows))


def picture(data: bytes, kind: str, alternative: str, width: int) -> str:
    """An image (`kind` is png or jpeg) inside the page, `width` of its pixels wide."""
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    style = f"width: {width}px; max-width: 100%; image-rendering: pixelated"
    return f'<img src="{source}" alt="{cell(alternative)}" style="{style}">'
