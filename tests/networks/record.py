"""Check a family's cases against the oracle, and remember what tests need where it is not there.

    python tests/networks/record.py FAMILY [FAMILY …] [--only 'mindcv/*'] [--write] [--tables]

The cases stand in tests/data/networks/<family>.json, as `"source/model": {"arguments": …, "layout":
…, "input": [...]}`. `--from-index` first adds a case for each mindcv or mindyolo model of the index
whose network is of this family. `--write` stores the digest of each table that agrees, and a
sample of each reference that does.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from cases import DATA, Case, expected_table, published_tables, read_cases, table_without_values
from references import MODES, Reference, mode_set, output_of
from weights_rule import digest_of

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = 16


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="+")
    parser.add_argument("--only", default="*")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--tables", action="store_true", help="tables only, no outputs")
    parser.add_argument("--from-index", action="store_true")
    parser.add_argument("--oracle", type=Path, default=ROOT.parent / "shared" / "oracle")
    options = parser.parse_args()
    bad = 0
    for family in options.families:
        file = DATA / f"{family}.json"
        content: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
        if options.from_index:
            add_from_index(family, content, options.oracle)
            write(file, content)
        for case in read_cases(file):
            if fnmatch(case.key, options.only):
                bad += not check(case, content[case.key], options)
        if options.write:
            write(file, content)
    print(f"{bad} cases do not agree" if bad else "all agree")
    return 1 if bad else 0


def check(case: Case, row: dict[str, Any], options: argparse.Namespace) -> bool:
    """Compare one case; with `--write`, remember it in `row`."""
    try:
        own = table_without_values(case)
    except Exception as error:  # report, and go on with the next
        print(f"{case.id}: cannot be built: {type(error).__name__}: {error}")
        return False
    problems = []
    if case.tabled:
        published = published_tables(options.oracle / "params", case.source)[case.table]
        problems = table_problems(own, expected_table(case, published))
    found = "DIFFERS" if problems else "agrees" if case.tabled else "is not published"
    print(f"{case.id}: table {found} ({len(own)} parameters)")
    for problem in problems[:12]:
        print(f"    {problem}")
    if problems:
        return False
    if options.write:
        row["digest"] = digest_of(own)
    golden = options.oracle / "golden" / case.source / f"{case.model}.npz"
    if options.tables or not case.compared or not golden.is_file():
        return True
    if not case.input:
        index = json.loads((options.oracle / "golden" / f"{case.source}.json").read_text())
        entry = index["models"][case.model]
        if "input" in entry:
            print(f'    a reference exists; give the case an "input": {entry["input"]}')
            return False
        row["input"] = [f"rng.standard_normal((2, 3, {entry['h']}, {entry['w']}))"]
        case = replace(case, input=tuple(row["input"]))
    return all(check_output(case, row, mode, options) for mode in MODES)


def check_output(case: Case, row: dict[str, Any], mode: str, options: argparse.Namespace) -> bool:
    reference = Reference(case, options.oracle)
    try:
        with mode_set(mode):
            tensors = output_of(case, reference.gain, reference.names)
        found = reference.differences(tensors)
    except Exception as error:
        print(f"    {mode}: {type(error).__name__}: {str(error)[:600]}")
        return False
    if len(tensors) < len(reference.tensors):
        print(f"    {mode}: {len(tensors)} outputs, the reference has {len(reference.tensors)}")
        return False
    good = all(difference <= allowed for difference, allowed in found)
    worst = max(found, key=lambda pair: pair[0] / (pair[1] or 1e-30))
    print(f"    {mode}: {'ok' if good else 'DIFFERS'}: {worst[0]:.2e}, allowed {worst[1]:.2e}")
    if good and options.write:
        row["sample"] = sample_of(reference)
    return good


def sample_of(reference: Reference) -> dict[str, Any]:
    """A few values of each tensor, spread over it."""
    tensors = []
    for tensor in reference.tensors:
        values = np.asarray(tensor["value"]).reshape(-1)
        places = np.unique(np.linspace(0, len(values) - 1, KEPT).astype(int)) if len(values) else []
        index = places if tensor["index"] is None else np.asarray(tensor["index"])[places]
        kept = {
            "index": [int(i) for i in index],
            "value": [float(v) for v in values[places]],
        }
        tensors.append({**tensor, **kept})
    renamed = {own: name for own, name in reference.names.items() if own != name}
    return {"gain": reference.gain, "names": renamed, "tensors": tensors}


def table_problems(own: list[Any], expected: list[Any]) -> list[str]:
    """What differs between two tables, in words."""
    if json.loads(json.dumps(own)) == expected:
        return []
    mine, theirs = {row[0]: row for row in own}, {row[0]: row for row in expected}
    missing = [name for name in theirs if name not in mine]
    surplus = [name for name in mine if name not in theirs]
    problems = []
    if missing:
        problems.append(f"{len(missing)} missing: {', '.join(missing[:8])}")
    if surplus:
        problems.append(f"{len(surplus)} surplus: {', '.join(surplus[:8])}")
    for name in mine:
        if name in theirs and list(mine[name][1:]) != list(theirs[name][1:]):
            problems.append(f"{name}: {mine[name][1:]}, expected {theirs[name][1:]}")
    if not problems:
        place = next(i for i, (a, b) in enumerate(zip(own, expected, strict=False)) if a[0] != b[0])
        problems.append(f"order: {own[place][0]} where {expected[place][0]} is expected")
    return problems


def add_from_index(family: str, content: dict[str, Any], oracle: Path) -> None:
    """A case for each published table whose model the index gives to this family."""
    from zoohub.errors import ZoohubError
    from zoohub.manifest.opening import open_index
    from zoohub.settings import load_settings

    index = open_index(load_settings())
    for source in ("mindcv", "mindyolo"):
        for model in published_tables(oracle / "params", source):
            try:
                entry = index.resolve(f"{source}/{model}").entry
            except ZoohubError:
                try:
                    entry = index.resolve(model).entry
                except ZoohubError:
                    continue
            owned = next(
                (
                    c.network
                    for c in entry.checkpoints
                    if any(r.uid.split("@")[0] == f"{source}/{model}" for r in c.records)
                    and c.network is not None
                ),
                entry.network,
            )
            if owned is not None and owned.builder == family:
                row = content.setdefault(f"{source}/{model}", {})
                row["arguments"] = dict(owned.arguments)
                if owned.parameters:
                    row["layout"] = owned.parameters


def write(file: Path, content: dict[str, Any]) -> None:
    lines = ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in content.items())
    file.write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    sys.exit(main())
