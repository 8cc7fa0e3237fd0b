"""What the text networks that come with zoohub are measured beside, on the same held-out texts.

    python recipes/home_assistant_texts.py homeassistant-2026.2.3-py3-none-any.whl runs/texts
    python tests/benchmarks/bench_shipped_texts.py runs/texts

It needs scikit-learn and sacrebleu. Languages: TF-IDF of words, and of one to four characters, with
logistic regression. Translations: the sentence as it is; a dictionary learnt from the same pairs,
by IBM's model 1 (Brown et al. 1993) and by Dice's coefficient of being in the same pairs, each word
by itself.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Pair = tuple[list[str], list[str]]
_TOKEN = re.compile(r"\w+|[^\w\s]")


def languages(folder: Path) -> dict[str, float]:
    """The accuracy of each baseline on the test."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    with (folder / "texts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    train, test = ([row for row in rows if row["split"] == part] for part in ("train", "test"))
    kinds = {
        "TF-IDF of words": TfidfVectorizer(token_pattern=r"\w+", min_df=2),
        "TF-IDF of 1 to 4 characters": TfidfVectorizer(
            analyzer="char_wb", ngram_range=(1, 4), min_df=2, max_features=60_000,
            sublinear_tf=True,
        ),
    }  # fmt: skip
    found = {}
    for name, features in kinds.items():
        model = make_pipeline(features, LogisticRegression(C=30, max_iter=150, tol=1e-3))
        model.fit([row["text"] for row in train], [row["label"] for row in train])
        right = model.predict([row["text"] for row in test]) == [row["label"] for row in test]
        found[name] = float(right.mean())
    return found


def translations(folder: Path) -> dict[str, float]:
    """The BLEU of each baseline on the test."""
    from sacrebleu.metrics import BLEU

    sources, targets = lines(folder / "test", "source"), lines(folder / "test", "target")
    sides = [lines(folder, name) for name in ("source", "target")]
    pairs = [(cut(one), cut(other)) for one, other in zip(*sides, strict=True)]
    ways: dict[str, Callable[[str], str]] = {
        "copying": str,
        "dictionary (IBM model 1)": by_words(model_1(pairs)),
        "dictionary (Dice)": by_words(dice(pairs)),
    }
    bleu = BLEU(tokenize="13a", force=True)
    return {
        name: bleu.corpus_score([translate(text) for text in sources], [targets]).score
        for name, translate in ways.items()
    }


def lines(folder: Path, side: str) -> list[str]:
    """The sentences of a part in one language."""
    return (folder / f"{side}.txt").read_text(encoding="utf-8").splitlines()


def cut(text: str) -> list[str]:
    """The words and signs of a text, lowered."""
    return _TOKEN.findall(text.lower())


def model_1(pairs: Sequence[Pair], rounds: int = 8) -> dict[str, str]:
    """The likeliest translation of each word: expectation maximisation over alignments."""
    chance: dict[tuple[str, str], float] = defaultdict(lambda: 1.0)
    for _ in range(rounds):
        counts: dict[tuple[str, str], float] = defaultdict(float)
        totals: dict[str, float] = defaultdict(float)
        for source, target in pairs:
            words = ["", *source]  # the empty one is what nothing in the source stands for
            for said in target:
                shares = [chance[word, said] for word in words]
                whole = sum(shares)
                for word, share in zip(words, shares, strict=True):
                    counts[word, said] += share / whole
                    totals[word] += share / whole
        chance = defaultdict(float, {key: c / totals[key[0]] for key, c in counts.items()})
    return best(chance)


def dice(pairs: Sequence[Pair]) -> dict[str, str]:
    """The word that is most often in the same pairs, by Dice's coefficient."""
    sources: Counter[str] = Counter(word for source, _ in pairs for word in set(source))
    targets: Counter[str] = Counter(word for _, target in pairs for word in set(target))
    both = Counter((s, t) for source, target in pairs for s in set(source) for t in set(target))
    return best({(s, t): 2 * n / (sources[s] + targets[t]) for (s, t), n in both.items()})


def best(scores: Mapping[tuple[str, str], float]) -> dict[str, str]:
    """For each first word the second with the highest score."""
    found: dict[str, tuple[float, str]] = {}
    for (source, target), score in scores.items():
        found[source] = max(found.get(source, (0.0, "")), (score, target))
    return {source: target for source, (_, target) in found.items()}


def by_words(dictionary: Mapping[str, str]) -> Callable[[str], str]:
    """Translates each word by itself; what it does not know stays; the first letter's case too."""

    def translate(text: str) -> str:
        words = [dictionary.get(word.lower(), word) for word in _TOKEN.findall(text)]
        said = " ".join(words)
        return said[:1].upper() + said[1:] if text[:1].isupper() else said

    return translate


if __name__ == "__main__":
    root = Path(sys.argv[1])
    for name, value in translations(root / "en-es").items():
        print(f"BLEU {value:5.2f}  {name}", flush=True)
    for name, value in languages(root / "languages").items():
        print(f"accuracy {value:.4f}  {name}", flush=True)
