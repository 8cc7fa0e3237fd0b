"""What the pages of all runs share: one HTML file that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape

from zoohub.tasks.recipe import Recipe, recipe_text

_STYLE = """
body { font: 15px/1.5 sans-serif; color: #222; max-width: 60rem; margin: 2rem auto }
h1 { font-size: 1.6rem } h2 { font-size: 1.15rem; margin-top: 2rem }
svg { max-width: 100%; height: auto } table { border-collapse: collapse }
td, th { padding: .2rem .8rem; border-bottom: 1px solid #ddd; text-align: left }
td.n { text-align: right; font-variant-numeric: tabular-nums }
figure { display: inline-block; margin: .5rem; vertical-align: top; font-size: 12px }
pre { background: #f6f6f6; padding: 1rem; overflow-x: auto; font-size: 12px }
"""
_MOST_LEFT_OUT = 200


def html_page(title: str, body: Sequence[str], style: str = "") -> str:
    """The whole document; `body` are its parts in HTML, `style` is CSS besides the common one."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}{style}</style></head>\n<body>"
        + "\n".join([f"<h1>{escape(title)}</h1>", *body])
        + "</body></html>\n"
    )


def top_table(recipe: Recipe, classes: int, counts: Sequence[int], figures: Mapping[str, str],
          part: str, samples: str) -> str:  # fmt: skip
    """The table at the top.

    Args:
        recipe: of the run.
        classes: how many there are; 0: the task has none.
        counts: samples to train on, to validate and to test on.
        figures: titles and texts of what was measured on `part`.
        part: the part that was measured.
        samples: what the samples are called.
    """
    train, validation, test = counts
    model = recipe.model + (f"@{recipe.checkpoint}" if recipe.checkpoint else "")
    rows = {
        "model": model,
        **({"classes": str(classes)} if classes else {}),
        samples: f"{train} training, {validation} validation, {test} test",
        **{f"{title} ({part})": text for title, text in figures.items()},
    }
    cells = "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in rows.items())
    return f"<table>{cells}</table>"


def notes_list(notes: Sequence[str]) -> list[str]:
    """A list of sentences, as no or one part of a page."""
    if not notes:
        return []
    return ["<ul>" + "".join(f"<li>{escape(note)}</li>" for note in notes) + "</ul>"]


def class_table(titles: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    """A row a class: its name, and its figures as text under the other `titles`."""
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    lines = [
        f"<tr><td>{escape(name)}</td>"
        + "".join(f'<td class="n">{v}</td>' for v in values)
        + "</tr>"
        for name, values in rows
    ]
    return f"<table><tr>{head}</tr>{''.join(lines)}</table>"


def figure(image: bytes, kind: str, caption: Sequence[str]) -> str:
    """A picture (`kind` is png or jpeg) with lines of text below."""
    data = base64.b64encode(image).decode()
    text = "<br>".join(escape(line) for line in caption)
    return (
        f'<figure><img src="data:image/{kind};base64,{data}" alt="">'
        f"<figcaption>{text}</figcaption></figure>"
    )


def ending(recipe: Recipe, skipped: Mapping[str, str]) -> list[str]:
    """What every page ends with: the files left out, and the recipe."""
    parts = []
    if skipped:
        rows = "".join(
            f"<tr><td>{escape(path)}</td><td>{escape(reason)}</td></tr>"
            for path, reason in list(skipped.items())[:_MOST_LEFT_OUT]
        )
        parts.append(f"<h2>Left out</h2><table>{rows}</table>")
    return [*parts, f"<h2>Recipe</h2><pre>{escape(recipe_text(recipe))}</pre>"]
