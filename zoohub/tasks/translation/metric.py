"""How good translations are: BLEU over all of them, by sacrebleu."""

from __future__ import annotations

from collections.abc import Sequence

from zoohub.errors import DataError, ZoohubError
from zoohub.outputs import Form
from zoohub.outputs.sequences import Sequences
from zoohub.tasks.contract import Figures, Metric, Row
from zoohub.tasks.translation.interpret import best_of, languages_of
from zoohub.tasks.translation.parallel import Reference


class Bleu(Metric):
    """BLEU (Papineni et al. 2002) as a share of 1: of text where the vocabulary is known and the
    reference was text, by sacrebleu's tokens `13a`; else of the token ids themselves."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.wanted: list[str] = []
        self.as_text = True

    def add(self, form: Form, rows: Sequence[Row], targets: Sequence[Reference]) -> None:
        """See `Metric`."""
        assert isinstance(form, Sequences)
        results = best_of(form, languages_of(rows))
        for (result,), target in zip(results, targets, strict=True):
            text = result.text if target.text else None
            self.as_text = self.as_text and text is not None
            self.found.append(_spelt(result.tokens) if text is None else text)
            self.wanted.append(_spelt(target.ids) if text is None else target.text)

    def figures(self) -> Figures:
        """`{count, bleu, per_class}`; there are no classes."""
        if not self.found:
            raise DataError("there is no translation to measure")
        check_sacrebleu()
        from sacrebleu.metrics import BLEU

        bleu = BLEU(tokenize="13a" if self.as_text else "none", force=True)
        score = bleu.corpus_score(self.found, [self.wanted]).score
        return {"count": len(self.found), "bleu": min(1.0, score / 100), "per_class": {}}


def check_sacrebleu() -> None:
    """That BLEU can be computed.

    Raises:
        ZoohubError: sacrebleu is not installed.
    """
    try:
        import sacrebleu  # noqa: F401
    except ImportError:
        raise ZoohubError("BLEU needs sacrebleu: pip install 'zoohub[text]'") from None


def _spelt(ids: Sequence[int]) -> str:
    return " ".join(map(str, ids))
