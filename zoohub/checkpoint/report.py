"""What loading did with every parameter, for people and programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from zoohub.checkpoint.weights import TensorInfo
from zoohub.core.counting import counted


@dataclass(frozen=True, slots=True)
class Cast:
    """A parameter whose element type in the file is not the network's."""

    name: str
    file: str
    network: str

    def __str__(self) -> str:
        return f"{self.name} ({self.file} to {self.network})"


@dataclass(frozen=True, slots=True)
class Misfit:
    """A parameter the file has in another shape, or in a type that cannot be converted."""

    name: str
    file: TensorInfo
    network: TensorInfo

    def __str__(self) -> str:
        if self.file.shape != self.network.shape:
            return f"{self.name} (file {self.file.shape}, network {self.network.shape})"
        return f"{self.name} (file {self.file.dtype}, network {self.network.dtype})"


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What was done with every parameter of the file and of the network.

    `loaded` and `replaced` are the network's names (`replaced`: newly initialised because the
    head or the stem was asked to differ; `adapted`: loaded, for other input channels; `resized`:
    tables of positions loaded, for pictures of another size); `renamed` maps the file's name to
    the network's, `prefix` stood before the file's and `layout` is their scheme; `left_out` are
    the file's names without use: `training_state`, an unused `ema.*` set, a dropped or replaced
    head; `kept` are the network's constants that older files lack, `untrained` what only training
    uses and the file does not have: newly initialised. `missing`, `unexpected` and
    `misshapen` are empty unless `strict=False`; missing and misshapen parameters keep their
    initial values.
    """

    source: str
    loaded: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    renamed: Mapping[str, str] | None = None
    left_out: tuple[str, ...] = ()
    cast: tuple[Cast, ...] = ()
    kept: tuple[str, ...] = ()
    untrained: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    misshapen: tuple[Misfit, ...] = ()
    adapted: tuple[Misfit, ...] = ()
    resized: tuple[Misfit, ...] = ()
    training_state: tuple[str, ...] = ()
    prefix: str = ""
    layout: str = ""

    @property
    def complete(self) -> bool:
        """Whether every parameter was loaded, or replaced on request."""
        return not (self.missing or self.unexpected or self.misshapen)

    def __str__(self) -> str:
        lines = [
            f"{counted(len(self.loaded), 'parameter')} loaded from {self.source or 'the file'}"
        ]
        if self.prefix:
            some_have = [old for old in self.renamed or {} if old.startswith(self.prefix)]
            whose = "the" if len(some_have) >= len(self.loaded) else f"{len(some_have)} of the"
            lines.append(f"the prefix {self.prefix!r} of {whose} file's names was taken off")
        lines += [f"{len(items)} {label}: {some(items, 3)}" for label, items in self._groups()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from zoohub.core.elements import table

        counts = [("loaded", self.loaded), *self._groups()]
        rows = [(label, len(items), some(items, 5)) for label, items in counts]
        return table(("parameters", "", "which"), rows, self.source)

    def _groups(self) -> list[tuple[str, Sequence[object]]]:
        """What was done with those that were not simply loaded, where there are any."""
        state = frozenset(self.training_state)
        others = [name for name in self.left_out if name not in state]
        renamed = [f"{old} to {new}" for old, new in (self.renamed or {}).items()]
        groups: tuple[tuple[str, Sequence[object]], ...] = (
            ("newly initialised, as asked", self.replaced),
            ("adapted to the input channels asked for", self.adapted),
            ("resized to the picture's size asked for", self.resized),
            ("renamed", renamed),
            ("cast", self.cast),
            ("of training's state in the file, left out", self.training_state),
            ("in the file, left out", others),
            ("constants, not in the file", self.kept),
            ("of training alone, not in the file, newly initialised", self.untrained),
            ("MISSING from the file, randomly initialised", self.missing),
            ("UNEXPECTED in the file, ignored", self.unexpected),
            ("MISSHAPEN, randomly initialised", self.misshapen),
        )
        return [(label, items) for label, items in groups if items]


def some(items: Iterable[object], limit: int) -> str:
    """The first few of a list, and how many more there are."""
    texts = [str(item) for item in items]
    return ", ".join(texts[:limit]) + (
        f" and {len(texts) - limit} more" if len(texts) > limit else ""
    )
