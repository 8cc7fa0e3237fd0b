"""From sorted contents to the documents of family files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from importer.facts import Facts
from importer.grouping import (
    Appearance,
    Content,
    assign_ids,
    default_of,
    group_contents,
)
from importer.lifting import lift
from importer.models import describe_models
from importer.naming import canonical
from importer.overrides import Overrides
from zoohub.core.yaml_writer import COMMENT
from zoohub.manifest.family import merge
from zoohub.manifest.schema import MODEL

Value = dict[str, Any]

# The keys of a model in the order in which they are written.
_ORDER = ("#", *MODEL, "defaults", "publishers", "checkpoints")


def family_documents(facts: Facts, overrides: Overrides) -> dict[tuple[str, str], Value]:
    """(task, family) -> the whole document of its file."""
    by_model: dict[str, list[Content]] = defaultdict(list)
    for content in group_contents(facts, overrides):
        by_model[content.model].append(content)
    known = describe_models(facts, overrides)
    for name in known:
        by_model.setdefault(name, [])
    models: dict[str, Value] = {}
    traits: dict[str, tuple[str, str]] = {}
    for name in sorted(by_model):
        contents = by_model[name]
        assign_ids(name, contents, facts, overrides)
        described = known.get(name, {})
        family = overrides.model_families.get(name) or described.pop("family", None)
        family = family or _family(name, contents, facts)
        family = overrides.families.get(family, family)
        task = overrides.tasks.get(name) or described.pop("task", None) or _task(contents)
        described.pop("family", None)
        described.pop("task", None)
        # An alias that is another model's own name would never be heard.
        aliases = described.get("aliases", [])
        described["aliases"] = [a for a in aliases if a == name or a not in by_model]
        traits[name] = (family, task)
        models[name] = _model(name, contents, described, facts, overrides)
    members: dict[str, list[str]] = defaultdict(list)
    for name, (family, _) in traits.items():
        members[family].append(name)
    documents: dict[tuple[str, str], Value] = {}
    for family, names in sorted(members.items()):
        tasks = Counter(traits[name][1] for name in names)
        task = overrides.tasks.get(f"family:{family}") or max(tasks, key=lambda t: (tasks[t], t))
        for name in names:
            if traits[name][1] != task:
                models[name] = {"task": traits[name][1], **models[name]}
        documents[task, family] = _family_document(
            family, task, {name: models[name] for name in names}, overrides
        )
    return documents


def _family(name: str, contents: list[Content], facts: Facts) -> str:
    """What the lab's list says, else the model zoo's folder, the lab's backbone, the model."""
    if not contents:
        return name
    for content in contents:
        for row in content.rows:
            listed = facts.others.get(str(row["url"]), {}).get("family")
            if listed and content.first.publisher != "models":
                return canonical(str(listed))
    first = contents[0].first
    if first.publisher == "models" and first.entry["repo_path"]:
        return canonical(str(first.entry["repo_path"]).rstrip("/").split("/")[-1])
    return canonical(str(first.entry["backbone"] or name))


def _task(contents: list[Content]) -> str:
    """What the newest appearance says; most say the same."""
    counts: Counter[str] = Counter()
    for content in contents:
        counts[str(content.first.entry["task"])] += 1
    return max(counts, key=lambda task: (counts[task], task))


def _model(
    name: str, contents: list[Content], described: Value, facts: Facts, overrides: Overrides
) -> Value:
    aliases = [*described.pop("aliases", []), *overrides.aliases.get(name, [])]
    result: Value = {"default": default_of(name, contents, facts, overrides) if contents else None}
    result["aliases"] = [a for a in dict.fromkeys(aliases) if a != name]
    result["published"] = dict(overrides.published.get(name, {}))
    result = {key: value for key, value in result.items() if value}
    result.update({key: value for key, value in described.items() if value is not None})
    if contents and "default" not in result:
        result[COMMENT] = (
            "Several projects, different content, no default: NAME alone is ambiguous."
        )
    described_classes = result.pop("classes", None)
    ordered = sorted(contents, key=lambda c: (c.id != result.get("default"), _rank(c)))
    checkpoints = {}
    for content in ordered:
        value = _checkpoint(content)
        value["classes"] = _classes(described_classes, value)
        parts = {
            "model": name,
            "id": content.id,
            "publisher": value.get("publisher"),
            "dataset": value.get("dataset"),
            "format": value.get("format"),
            "path": value.get("path"),
            "url": content.rows[0]["url"],
        }
        checkpoints[content.id] = merge(value, overrides.patch(parts))
        comment = overrides.comments.get(f"{name}@{content.id}")
        if comment:
            checkpoints[content.id][COMMENT] = comment
    result["checkpoints"] = checkpoints
    return result


def _classes(of_model: dict[str, str] | None, checkpoint: Value) -> str | None:
    """The class names of a lab's checkpoint, where the lab's list says so for its dataset."""
    said = (of_model or {}).get(str(checkpoint["publisher"]), "").split()
    return said[1] if said and said[0] == checkpoint["dataset"] else None


def _rank(content: Content) -> tuple[object, ...]:
    publisher = content.first.publisher
    order = content.first.order
    release = tuple(-number for number in order[0]) if isinstance(order[0], tuple) else ()
    return (publisher == "models", publisher, content.format != "ckpt", release, content.id)


def _checkpoint(content: Content) -> Value:
    """One checkpoint with its records, everything spelt out."""
    first = content.first
    row = content.rows[0]
    summary = _entry_fields(first)
    records = [_entry_fields(appearance) for appearance in content.appearances]
    summary["dataset"] = content.dataset
    summary["metrics"] = next((r["metrics"] for r in records if r["metrics"]), {})
    result: Value = {
        "aliases": content.aliases or None,
        "publisher": first.publisher,
        "format": content.format,
        "licence": first.entry["license"],
        "hardware": _first(content.appearances, "hardware"),
        "fine_tunable": _first(content.appearances, "fine_tunable"),
        "dataset": summary["dataset"],
        "repository": summary["repository"],
        "path": summary["path"],
    }
    notes = list(_notes(content))
    if content.doubtful:
        declared = row["sha256"] or row.get("sha256_invalid")
        result["doubtful_sha256"] = declared
    else:
        result["sha256"] = content.sha256
    if content.prefix and not content.doubtful and not content.sha256:
        result["sha256_prefix"] = content.prefix
    result["metrics"] = summary["metrics"]
    if notes:
        result["note"] = " ".join(notes)
    result["records"] = records
    for value, appearance in zip(records, content.appearances, strict=True):
        value["url"] = appearance.row["url"]
    return result


def _first(appearances: Iterable[Appearance], key: str) -> Any:
    values = (appearance.entry.get(key) for appearance in appearances)
    return next((value for value in values if value is not None), None)


def _entry_fields(appearance: Appearance) -> Value:
    entry = appearance.entry
    return {
        "uid": entry["uid"],
        "url": appearance.row["url"],
        "mindspore": entry["mindspore_version"],
        "ref": entry["repo_ref"],
        "updated": entry.get("updated") or entry.get("first_seen"),
        "dataset": entry["dataset"],
        "metrics": dict(entry["metrics"]),
        "repository": entry["repo"],
        "path": entry["repo_path"],
        "publisher": appearance.publisher,
    }


def _notes(content: Content) -> Iterable[str]:
    """What is odd about the file, in a sentence each."""
    row = content.rows[0]
    if content.doubtful:
        if row.get("sha256_invalid"):
            yield "The published hash is not a SHA-256 in hex."
        elif row.get("sha256_conflicts"):
            others = ", ".join(row["sha256_conflicts"])
            yield f"Two pages declare different hashes for this URL; the other is {others}."
        elif row["sha256"] and row["sha256"].startswith("e3b0c44298fc"):
            yield "The published hash is that of an empty file."
        else:
            yield "The published hash is declared for files of different models."
    if row.get("declared_format"):
        yield f"Its page calls the format {row['declared_format']}."
    if row.get("upstream_name_hash"):
        yield (
            f"The {row['upstream_name_hash']} in the file's name is the hash of the PyTorch file "
            "it was converted from."
        )
    if any(a.entry.get("url_constructed") for a in content.appearances):
        yield "The URL was put together from a folder and a file name."
    for key, text in (("converted_from", "Converted from {}."), ("language", "Language: {}.")):
        value = _first(content.appearances, key)
        if value:
            yield text.format(value)
    pretrained = _first(content.appearances, "pretrained_on")
    if pretrained:
        yield f"Pretrained on {pretrained}."
    if any(a.entry.get("code_license") and not a.entry["license"] for a in content.appearances):
        yield "Converted weights: the licence is the original authors'."


def _family_document(
    family: str, task: str, models: dict[str, Value], overrides: Overrides
) -> Value:
    details = dict(overrides.details.get(family, {}))
    by_model: Mapping[str, Any] = details.pop("models", {})
    for name, extra in by_model.items():
        if name not in models:
            models[name] = {"checkpoints": {}}
        models[name] = merge(models[name], extra)
    for name, model in models.items():
        last = [*(k for k in _ORDER if k != "checkpoints"), "checkpoints"]
        models[name] = {key: model[key] for key in last if key in model}
    default = details.pop("default", None) or overrides.family_defaults.get(family)
    if default is None and family in models:
        default = family
    if default is None and len(models) == 1:
        default = next(iter(models))
    document: Value = {"family": family, "task": task}
    if default:
        document["default"] = default
    for key in ("description", "paper", "network", "input"):
        if key in details:
            document[key] = details.pop(key)
    lift(document, models, details)
    document["models"] = dict(sorted(models.items(), key=lambda m: (m[0] != default, m[0])))
    return document
