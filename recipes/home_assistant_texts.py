"""Make what textcnn@languages and transformer@en-es learn from: the translated texts of Home
Assistant (Apache-2.0), which its wheel carries.

    pip download homeassistant==2026.2.3 --no-deps --only-binary :all: --python-version 3.14
    python recipes/home_assistant_texts.py homeassistant-2026.2.3-py3-none-any.whl runs/texts

writes

    runs/texts/languages/texts.csv, tokenizer.json     texts and the languages they are in
    runs/texts/en-es/{,validation/,test/}{source,target}.txt, vocab.txt    sentences, translated

It needs `tokenizers` and `sentencepiece` (pip install 'zoohub[text]'), which make the vocabularies.

A text is held out with all whose English or Spanish is nearly the same: those that have the same
words but for one, or share three fifths of them, and again those that are nearly the same as these.
Of such groups those above `LARGEST` texts are trained on; of the others a part of each, by a hash
of their first text, is for validation and for the test.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import sys
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# fmt: off
LANGUAGES = (
    "bg", "ca", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "he", "hu", "id", "it", "ja",
    "ko", "lt", "lv", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "tr", "uk", "vi",
    "zh-Hans", "zh-Hant",
)
# fmt: on
PARTS = {"test": 0.08, "val": 0.04}  # shares of the groups that are held out
LARGEST = 20  # texts in a group that may be held out
MOST = {"train": 3000, "val": 60, "test": 150}  # texts of a language
PIECES = {"languages": 8000, "en-es": 2400}
SENTENCE = range(4, 21)  # words in a sentence to measure on
VALIDATION = 100  # sentences to look at between epochs, which takes long
JOINER = "￭"  # as zoohub.inputs.text.vocabulary has it

_MARKED = re.compile(r"[#@{}<>\[\]`\n|*%_=/\\]|http|\$t|&\w+;")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Text:
    """A text in each language that has it, and its part: train, val or test."""

    languages: Mapping[str, str]
    part: str


def catalogue(wheel: Path) -> list[dict[str, str]]:
    """The wheel's texts, each once: what it is in English and in other languages."""
    found: dict[str, dict[str, str]] = {}
    with zipfile.ZipFile(wheel) as files:
        names = set(files.namelist())
        for english in sorted(name for name in names if name.endswith("/translations/en.json")):
            texts = {
                language: dict(leaves(json.loads(files.read(name))))
                for language in LANGUAGES
                if (name := english.replace("/en.json", f"/{language}.json")) in names
            }
            for key in texts["en"]:
                row = {
                    name: " ".join(has[key].split()) for name, has in texts.items() if key in has
                }
                for parts in sentences(row):
                    found.setdefault(parts["en"], {}).update(plain(parts))
    return [row for row in found.values() if row]


def leaves(tree: Mapping[str, object], path: str = "") -> Iterator[tuple[str, str]]:
    """The texts of nested objects, by their paths."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}/{key}")
        elif isinstance(value, str):
            yield f"{path}/{key}", value


def sentences(row: Mapping[str, str]) -> list[dict[str, str]]:
    """A text's sentences, each with those of the languages that have as many."""
    parts = {name: re.split(r"(?<=[.!?]) (?=[^\W\d_a-z]|¿|¡)", text) for name, text in row.items()}
    count = len(parts["en"])
    whole = {name: said for name, said in parts.items() if len(said) == count}
    return [{name: said[place] for name, said in whole.items()} for place in range(count)]


def plain(parts: Mapping[str, str]) -> dict[str, str]:
    """Those that can be used: none where the English cannot; what was left in English is not."""
    english = parts["en"]
    if not usable(english):
        return {}
    translated = {name: text for name, text in parts.items() if usable(text) and text != english}
    return {"en": english, **translated}


def usable(text: str) -> bool:
    """Whether it is plain text, of a length that a small network reads."""
    return len(text) <= 160 and not _MARKED.search(text) and bool(_WORD.search(text))


def words(text: str) -> tuple[str, ...]:
    """The words by which texts are compared: lowered, numbers all alike."""
    return tuple(re.sub(r"\d+", "0", word) for word in _WORD.findall(text.lower()))


def groups(texts: Sequence[tuple[str, ...]]) -> list[int]:
    """The group of each text; those that are nearly the same are in one (see above)."""
    parent = list(range(len(texts)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    seen: dict[object, int] = {}
    for place, text in enumerate(texts):
        keys: list[object] = [text]
        if len(text) >= SENTENCE.start:
            keys += [(*text[:i], None, *text[i + 1 :]) for i in range(len(text))]
            keys += [("without", *text[:i], *text[i + 1 :]) for i in range(len(text))]
        keys.append(("without", *text))
        for key in keys:
            parent[root(place)] = root(seen.setdefault(key, place))
    for one, other in alike(texts):
        parent[root(other)] = root(one)
    return [root(place) for place in range(len(texts))]


def alike(texts: Sequence[tuple[str, ...]]) -> Iterator[tuple[int, int]]:
    """Sentences that share three fifths of all their words. Of two such, one of the rarest words of
    each is the other's too, so only those are compared."""
    sets = [frozenset(text) for text in texts]
    counts = Counter(word for text in sets for word in text)
    having: dict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(sets):
        if len(text) < SENTENCE.start:
            continue
        rarest = sorted(text, key=lambda word: (counts[word], word))
        rarest = rarest[: len(text) - -(-len(text) * 3 // 5) + 1]
        for other in {other for word in rarest for other in having[word]}:
            if 5 * len(text & sets[other]) >= 3 * len(text | sets[other]):
                yield other, place
        for word in rarest:
            having[word].append(place)


def parted(rows: Sequence[dict[str, str]]) -> list[Text]:
    """The texts with their parts."""
    # Spanish texts stand behind the English; a text and its translation are of one group.
    sides = [words(row["en"]) for row in rows] + [("es", *words(row.get("es", ""))) for row in rows]
    of_side = groups(sides)
    parent: dict[int, int] = {}

    def root(group: int) -> int:
        while parent.setdefault(group, group) != group:
            group = parent[group]
        return group

    for place, row in enumerate(rows):
        if row.get("es"):
            parent[root(of_side[place])] = root(of_side[len(rows) + place])
    members: dict[int, list[int]] = defaultdict(list)
    for place in range(len(rows)):
        members[root(of_side[place])].append(place)
    part_of = {}
    for places in members.values():
        first = min(rows[place]["en"] for place in places)
        part = "train" if len(places) > LARGEST else part_by_hash(first)
        part_of.update(dict.fromkeys(places, part))
    return [Text(row, part_of[place]) for place, row in enumerate(rows)]


def part_by_hash(text: str) -> str:
    """Of the parts, as large a share of texts as each is to have."""
    share = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / (1 << 32)
    for name, size in PARTS.items():
        if share < size:
            return name
        share -= size
    return "train"


def write_languages(texts: Sequence[Text], folder: Path) -> None:
    """`texts.csv`, and the tokenizer that its training part makes."""
    known: dict[str, set[str]] = defaultdict(set)
    for text in texts:
        for language, said in text.languages.items():
            known[said.lower()].add(language)
    rows: dict[tuple[str, str], set[str]] = defaultdict(set)
    for text in texts:
        for language, said in text.languages.items():
            least = 6 if language in ("ja", "ko", "zh-Hans", "zh-Hant") else 12
            if least <= len(said) <= 80 and len(known[said.lower()]) == 1:
                rows[text.part, language].add(said)
    learnt = {said for (part, _), all in rows.items() if part == "train" for said in all}
    folder.mkdir(parents=True, exist_ok=True)
    training: list[str] = []
    with (folder / "texts.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("text", "label", "split"))
        for (part, language), all in sorted(rows.items()):
            fresh = sorted(all if part == "train" else all - learnt, key=scattered)
            for said in fresh[: MOST[part]]:
                writer.writerow((said, language, part))
                training += [said] if part == "train" else []
    (folder / "tokenizer.json").write_text(pieces_of_words(training), encoding="utf-8")


def scattered(text: str) -> bytes:
    """Sorts as if shuffled, always alike."""
    return hashlib.sha256(text.encode()).digest()


def pieces_of_words(texts: Iterable[str]) -> str:
    """A tokenizer.json of word pieces, lowered, accents kept."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    marks = ["[PAD]", "[UNK]"]
    cut = pre_tokenizers.BertPreTokenizer()
    clean = normalizers.BertNormalizer(lowercase=True, strip_accents=False)
    lines = (cut.pre_tokenize_str(clean.normalize_str(text)) for text in texts)
    found = pieces([word for line in lines for word, _ in line], PIECES["languages"] - len(marks))
    tokens = marks + [piece if first else "##" + piece for piece, first in found]
    ids = {token: number for number, token in enumerate(tokens)}
    engine = Tokenizer(models.WordPiece(ids, unk_token=marks[1]))
    engine.normalizer, engine.pre_tokenizer = clean, cut
    return engine.to_str()


def pieces(words: Sequence[str], count: int) -> list[tuple[str, bool]]:
    """The pieces of byte pair encoding (by SentencePiece, which always makes the same), and whether
    each begins a word."""
    from sentencepiece import SentencePieceProcessor, SentencePieceTrainer

    model = io.BytesIO()
    SentencePieceTrainer.Train(
        sentence_iterator=iter(words),
        model_writer=model,
        model_type="bpe",
        vocab_size=count + 2,  # the bare start of a word, and the unknown, are none
        character_coverage=0.9995,
        normalization_rule_name="identity",
        split_by_unicode_script=False,
        split_by_number=False,
        bos_id=-1,
        eos_id=-1,
        num_threads=1,
        minloglevel=2,
    )
    engine = SentencePieceProcessor(model_proto=model.getvalue())
    found = [engine.IdToPiece(id) for id in range(1, engine.GetPieceSize())]
    begins = "▁"
    learnt = [(p.removeprefix(begins), p.startswith(begins)) for p in found if p != begins]
    # A letter that begins words may be learnt only as one that goes on, and the other way round.
    letters = Counter((letter, place == 0) for word in words for place, letter in enumerate(word))
    single = sorted(letter for letter, times in letters.items() if times >= 3)
    longer = [piece for piece in learnt if len(piece[0]) > 1]
    return single + longer[: count - len(single)]


def write_translations(texts: Sequence[Text], folder: Path) -> None:
    """The sentences of each part in both languages, and the vocabulary of the training part."""
    pairs: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for text in texts:
        source, target = text.languages["en"], text.languages.get("es", "")
        long = max(len(source.split()), len(target.split())) < SENTENCE.stop
        short = text.part != "train" and len(words(source)) < SENTENCE.start
        if target and long and not short:
            pairs[text.part].append((source, target))
    for part, name in (("train", "."), ("val", "validation"), ("test", "test")):
        (folder / name).mkdir(parents=True, exist_ok=True)
        ranked = sorted(pairs[part], key=lambda pair: scattered(pair[0]))
        sides = zip(*ranked[: VALIDATION if part == "val" else None], strict=True)
        for file, side in zip(("source.txt", "target.txt"), sides, strict=True):
            (folder / name / file).write_text("\n".join(side) + "\n", encoding="utf-8")
    known = vocabulary([side for pair in pairs["train"] for side in pair])
    (folder / "vocab.txt").write_text("\n".join(known) + "\n", encoding="utf-8")


def vocabulary(texts: Sequence[str]) -> list[str]:
    """The Transformer's tokens: marks, punctuation with what it is joined to, pieces of words."""
    signs: Counter[str] = Counter()
    for word in (word for text in texts for word in text.split()):
        parts = re.findall(r"\w+|[^\w\s]", word)
        for place, part in enumerate(parts):
            if not _WORD.match(part):
                before, after = JOINER * (place > 0), JOINER * (place < len(parts) - 1)
                signs[before + part + after] += 1
    marks = ["<pad>", "<s>", "</s>", "<unk>"]
    kept = sorted(sign for sign, count in signs.items() if count >= 5)
    # From their ends: what is sought is the piece that ends a word.
    turned = [word[::-1] for text in texts for word in _WORD.findall(text)]
    found = pieces(turned, PIECES["en-es"] - len(marks) - len(kept))
    return marks + kept + [piece[::-1] + "@@" * (not last) for piece, last in found]


def main(wheel: str, output: str) -> None:
    """Write both data sets of a wheel."""
    texts = parted(catalogue(Path(wheel)))
    write_languages(texts, Path(output, "languages"))
    write_translations(texts, Path(output, "en-es"))


if __name__ == "__main__":
    main(*sys.argv[1:])
