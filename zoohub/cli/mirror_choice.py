"""Which checkpoints `zoohub mirror sync DEST [PATTERN…]` means."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace

from zoohub.core.json_reader import parse_own
from zoohub.errors import AmbiguousReference, UnknownModel
from zoohub.manifest.compiled import ModelRow
from zoohub.manifest.entry import Entry
from zoohub.manifest.index import Index, Resolved
from zoohub.manifest.opening import open_index
from zoohub.manifest.steps import pipelines_among, resolved_steps
from zoohub.mirror.selection import Selection, fits, select
from zoohub.settings import Settings


def chosen(
    settings: Settings, options: argparse.Namespace
) -> tuple[Selection, dict[str, ModelRow]]:
    """The checkpoints asked for, and the compiled models they belong to.

    Raises:
        UnknownModel, AmbiguousReference: a pattern fits nothing, or a name means several models.
    """
    from zoohub.manifest.codec import decode_entry

    index = open_index(settings)
    globs, named = _meant(index, options.patterns)
    documents: dict[str, ModelRow] = {}

    def entries() -> Iterator[Entry]:
        for layer, text in index.documents(task=options.task, format=options.format):
            document: ModelRow = parse_own(text)
            name = document["model"]
            whole = not options.patterns or any(fits(name, [glob]) for glob in globs)
            if not whole and name not in named:
                continue
            documents[name] = document
            entry = decode_entry(document, layer)
            ids = None if whole else named[name]
            if ids is not None:
                kept = tuple(c for c in entry.checkpoints if c.id in ids)
                entry = replace(entry, checkpoints=kept)
            yield entry

    selection = select(
        entries(), format=options.format, task=options.task, max_size=options.max_size
    )
    unmatched = [glob for glob in globs if not any(fits(name, [glob]) for name in documents)]
    unmatched += [name for name in named if name not in documents]
    if unmatched:
        raise UnknownModel(
            f"no model fits {', '.join(map(repr, unmatched))}; `zoohub list` shows their names"
        )
    return selection, documents


def _meant(
    index: Index, patterns: Sequence[str]
) -> tuple[list[str], dict[str, frozenset[str] | None]]:
    """The patterns, and the models that plain names mean: with the ids of their checkpoints, or
    None for all of them. With a pipeline come its steps' files.

    Raises:
        UnknownModel, AmbiguousReference: a plain name means nothing, or several things.
    """
    globs = [text for text in patterns if any(wildcard in text for wildcard in "*?[")]
    named: dict[str, frozenset[str] | None] = {}
    pipelines: list[Entry] = []
    for text in patterns:
        if text in globs:
            pipelines += pipelines_among(index, text)
            continue
        try:
            resolved = index.resolve(text)
        except AmbiguousReference:
            # A model without a default is no one checkpoint, but a model it is.
            named[index.entry(text).model] = None
            continue
        _name(named, resolved, whole=not resolved.explicit)
        pipelines.append(resolved.entry)
    for pipeline in pipelines:
        for step in resolved_steps(index, pipeline).values():
            _name(named, step)
    return globs, named


def _name(
    named: dict[str, frozenset[str] | None], resolved: Resolved, *, whole: bool = False
) -> None:
    """Add what a name means: all of its model where `whole`, else its checkpoint."""
    model, one = resolved.entry.model, resolved.checkpoint
    before = named.get(model, frozenset())
    named[model] = None if whole or one is None or before is None else before | {one.id}
