"""Sorting published URLs into contents, contents into models, and giving each an id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from importer.facts import Facts, Row, publisher_of
from importer.naming import (
    HubPage,
    canonical,
    hardware_label,
    hub_page,
    slug,
    url_digest,
    version_key,
)
from importer.overrides import Overrides
from zoohub.manifest.schema import EMPTY_SHA256


@dataclass
class Appearance:
    """One entry of one URL."""

    row: Row
    entry: Row
    publisher: str
    page: HubPage | None

    @property
    def order(self) -> tuple[object, ...]:
        """Newest first when sorted descending: the lab's own listing, then release and date."""
        release = self.page.release if self.page else "999"
        old = self.page is not None and str(self.entry["uid"]).count("/") == 3
        return (version_key(release), not old, self.entry.get("updated") or "")


@dataclass
class Content:
    """One set of bytes: all appearances whose full, undoubted hash is the same, or one URL."""

    rows: list[Row]
    doubtful: bool
    appearances: list[Appearance] = field(default_factory=list)
    model: str = ""
    dataset: str | None = None
    id: str = ""
    aliases: list[str] = field(default_factory=list)

    @property
    def first(self) -> Appearance:
        """The appearance that speaks for the content: the newest."""
        return self.appearances[0]

    @property
    def format(self) -> str:
        """As the index calls it: `ckpt`, `mindir`, …"""
        return str(self.rows[0]["format"])

    @property
    def sha256(self) -> str | None:
        """The declared full hash, if it may be believed."""
        return None if self.doubtful else self.rows[0]["sha256"]

    @property
    def prefix(self) -> str | None:
        """The published fragment of the hash."""
        value = self.rows[0]["sha256_prefix"]
        return value and str(value)


def group_contents(facts: Facts, overrides: Overrides) -> list[Content]:
    """Every URL in exactly one content; only a full hash that nobody doubts joins two."""
    contents: dict[str, Content] = {}
    for row in facts.rows:
        doubtful = is_doubtful(row, overrides)
        key = row["url"] if doubtful or not row["sha256"] else row["sha256"] + row["format"]
        content = contents.setdefault(key, Content([], doubtful))
        content.rows.append(row)
        for entry in row["entries"]:
            content.appearances.append(Appearance(row, entry, publisher_of(entry), hub_page(entry)))
    for content in contents.values():
        content.appearances.sort(key=lambda a: str(a.entry["uid"]))
        content.appearances.sort(key=lambda a: a.order, reverse=True)
        content.model = model_of(content, overrides)
        said = (a.entry["dataset"] for a in content.appearances if a.entry["dataset"])
        dataset = overrides.datasets.get(str(content.rows[0]["url"]), next(said, None))
        content.dataset = dataset if dataset and slug(dataset) else None
    return list(contents.values())


def is_doubtful(row: Row, overrides: Overrides) -> bool:
    """Whether a row's hash may not be believed: marked so in the facts, of the empty file, or
    judged so in the overrides."""
    return bool(
        row.get("sha256_suspect")
        or row.get("sha256_conflicts")
        or row.get("sha256_invalid")
        or row["sha256"] == EMPTY_SHA256
        or row["url"] in overrides.doubtful
        or row["sha256"] in overrides.doubtful
    )


def model_of(content: Content, overrides: Overrides) -> str:
    """The model a content belongs to: an override by URL or published name, else the lab's own
    name, else the Hub page's stem."""
    for row in content.rows:
        if row["url"] in overrides.urls:
            return overrides.urls[row["url"]]
    for appearance in content.appearances:
        uid = str(appearance.entry["uid"])
        if uid in overrides.uids:
            return overrides.uids[uid]
    lab = [a for a in content.appearances if a.page is None]
    # A Hub page for a lab's file says the lab's name; its own stem leaves out a size sometimes.
    by_lab = lab or [a for a in content.appearances if a.publisher != "models"]
    if by_lab:
        name = canonical(str(by_lab[0].entry["name"]))
        # What a repository of the model zoo refers to is named apart from what the labs publish.
        return overrides.model(name, by_lab[0].publisher)
    page = content.first.page
    assert page is not None
    return overrides.model(page.stem, "models")


def assign_ids(model: str, contents: list[Content], facts: Facts, overrides: Overrides) -> None:
    """Give every content of a model its id and alias ids. Deterministic: no id depends on the
    order of the facts."""
    usual = overrides.usual_dataset(model) or usual_dataset(contents)
    taken: dict[str, Content] = {}
    claims: dict[str, list[tuple[tuple[object, ...], str, Content]]] = defaultdict(list)
    labels: dict[int, list[str]] = {}
    for content in contents:
        labels[id(content)] = []
        for appearance in content.appearances:
            label = _release_label(appearance, content)
            if label is None:
                continue
            claims[label].append((appearance.order, content.rows[0]["url"], content))
            if label not in labels[id(content)]:
                labels[id(content)].append(label)
    for label, claimants in claims.items():
        taken[label] = max(claimants, key=lambda claim: (claim[0], claim[1]))[2]
    for content in sorted(contents, key=lambda c: _preference(c, facts)):
        won = [label for label in labels[id(content)] if taken[label] is content]
        if won:
            content.id, *content.aliases = won
            continue
        wanted = labels[id(content)][:1] or [_lab_label(content, usual)]
        content.id = _free(wanted[0], content, taken)
        taken[content.id] = content


def _release_label(appearance: Appearance, content: Content) -> str | None:
    """`r1.10-imagenet2012` for a file of the model zoo's releases."""
    page = appearance.page
    if page is None or appearance.publisher != "models":
        return None
    parts = [f"r{page.release}"]
    if page.hardware:
        parts.append(page.hardware)
    dataset = page.dataset or content.dataset
    if dataset and slug(dataset):
        parts.append(slug(dataset))
    if content.format != "ckpt":
        parts.append(content.format)
    return "-".join(parts)


def _lab_label(content: Content, usual: str | None) -> str:
    """`mindcv`, `mindcv-910v2`, `mindocr-ctw1500`, `mindyolo-mindir`."""
    parts = [content.first.publisher]
    hardware = hardware_label(
        next(
            (a.entry.get("hardware") for a in content.appearances if a.entry.get("hardware")), None
        )
    )
    if hardware:
        parts.append(hardware)
    if content.dataset and content.dataset != usual:
        parts.append(slug(content.dataset))
    if content.format != "ckpt":
        parts.append(content.format)
    return "-".join(parts)


def _free(label: str, content: Content, taken: dict[str, Content]) -> str:
    """The label itself, or with what tells this content from the one that has it."""
    url = str(content.rows[0]["url"])
    host = "osinfra" if "osinfra" in urlsplit(url).netloc else None
    prefix = (content.sha256 or content.prefix or "")[:8] or None
    ref = next((a.entry.get("repo_ref") for a in content.appearances), None)
    ref = str(ref) if ref and str(ref)[:1] in "vr" and str(ref)[1:2].isdigit() else None
    candidates = [label]
    candidates += [f"{label}-{part}" for part in (prefix, host, ref) if part]
    candidates.append(f"{label}-{url_digest(url)}")
    return next(candidate for candidate in candidates if candidate not in taken)


def _preference(content: Content, facts: Facts) -> tuple[object, ...]:
    """Who gets the plain id: what the publisher's own code downloads, then its newest."""
    own = upstream_urls(facts)
    urls = [row["url"] for row in content.rows]
    plain = any("@" not in str(a.entry["uid"]) for a in content.appearances)
    return (
        not any(url in own for url in urls),
        not plain,
        "osinfra" in urls[0],
        urls[0],
    )


def upstream_urls(facts: Facts) -> frozenset[str]:
    """The URL that each mindcv and mindyolo model name downloads by itself."""
    rows = [*facts.mindcv.values(), *facts.mindyolo.values()]
    return frozenset(str(row["url"]) for row in rows if row.get("url"))


def usual_dataset(contents: Iterable[Content]) -> str | None:
    """The dataset of most of a model's URLs."""
    counts: dict[str, int] = defaultdict(int)
    for content in contents:
        for _ in content.appearances:
            if content.dataset:
                counts[content.dataset] += 1
    return max(counts, key=lambda name: (counts[name], name)) if counts else None


def default_of(
    model: str, contents: list[Content], facts: Facts, overrides: Overrides
) -> str | None:
    """The default checkpoint's id: an override, what the publisher's own code downloads, the
    newest on the usual dataset; None where several labs differ and nobody decided."""
    if model in overrides.defaults:
        return overrides.defaults[model]
    files = [c for c in contents if c.format == "ckpt"] or contents
    own = upstream_urls(facts)
    for content in files:
        if any(row["url"] in own for row in content.rows):
            return content.id
    labs = {content.first.publisher for content in files}
    if len(labs) > 1 and "models" not in labs:
        return None
    usual = overrides.usual_dataset(model) or usual_dataset(contents)
    zoo = [c for c in files if c.first.publisher == "models"] or files
    on_usual = [c for c in zoo if c.dataset == usual] or zoo
    plain = [c for c in on_usual if "@" not in str(c.first.entry["uid"])] or on_usual
    return max(plain, key=lambda c: (c.first.order, -len(c.id), c.id)).id
