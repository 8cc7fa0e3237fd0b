"""`python index/importer FACTS INDEX [--write]`: facts files against an index.

Makes what the facts and `INDEX/overrides.yaml` say into family documents and shows where the
index differs. `--write` writes the families that the index does not have yet; a family that is
there is never touched, because its YAML is the truth from then on. `--replace FAMILY…` (or
`--replace all`) writes those families anew and loses what was edited by hand.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from importer.difference import compare, describe
from importer.documents import family_documents
from importer.facts import read_facts
from importer.overrides import read_overrides
from zoohub.core.yaml_writer import to_yaml
from zoohub.errors import ZoohubError


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 if the index says what the facts say, 1 if it differs."""
    parser = argparse.ArgumentParser(prog="python index/importer", description=__doc__)
    parser.add_argument("facts", type=Path, help="folder with checkpoints.jsonl and its neighbours")
    parser.add_argument("index", type=Path, help="folder of <task>/<family>.yaml")
    parser.add_argument("--write", action="store_true", help="write families not there yet")
    parser.add_argument("--replace", nargs="+", default=[], metavar="FAMILY", help="write anew")
    options = parser.parse_args(arguments)
    try:
        facts = read_facts(options.facts)
        documents = family_documents(facts, read_overrides(options.index / "overrides.yaml"))
        for (task, family), document in documents.items():
            file = options.index / task / f"{family}.yaml"
            replace = family in options.replace or "all" in options.replace
            if replace or (options.write and not file.exists()):
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(to_yaml(document), encoding="utf-8")
                print(f"wrote {file}")
        difference = compare(facts, options.index)
    except ZoohubError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    for line in describe(difference):
        print(line)
    return 1 if difference.any else 0
