"""The references of the Transformer's search: reduced networks, whose weights follow from names.

    python tests/networks/transformer/searches.py

remembers in tests/data/transformer/searches.json what the oracle says of the small ones.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from weights_rule import rule_value  # noqa: E402

FILE = HERE.parent.parent / "data" / "transformer" / "searches.json"
SMALL = (
    "transformer_infer_small_a",
    "transformer_infer_small_b",
    "transformer_infer_small_c_beam2",
)
END = 2


@dataclass(frozen=True)
class SearchCase:
    """A reference: the builder's arguments, how its weights are drawn, all beams in the order of
    their slots (2, beams, steps + 1), their scores, and one value of what the encoder gives."""

    builder: dict[str, Any]
    gain: float
    gain_embedding: float
    end_factor: float
    beams: list[list[list[int]]]
    scores: list[list[float]]
    encoder: list[tuple[int, float]]

    def sentences(self, padded: bool = False) -> list[list[int]]:
        """The two sentences, the second shorter."""
        length, vocabulary = self.builder["seq_length"], self.builder["vocab_size"]
        drawn = np.random.default_rng(1).integers(3, vocabulary, (2, length))
        found = []
        for row, count in zip(drawn, (length, 37 if length > 100 else 9), strict=True):
            row[count - 1] = END
            row[count:] = 0
            found.append((row if padded else row[:count]).tolist())
        return found

    def fill(self, net: Any) -> None:
        """Give a network the reference's weights."""
        from mindspore import Tensor

        for parameter in net.get_parameters():
            embedding = parameter.name.endswith("embedding_table")
            gain = self.gain_embedding if embedding else self.gain
            value = rule_value(parameter.name, tuple(parameter.shape), gain=gain)
            if embedding:
                value[END] *= np.float32(self.end_factor)
            parameter.set_data(Tensor(value))

    def tokens(self) -> list[tuple[int, ...]]:
        """What follows the start in each sentence's best beam, and precedes the end."""
        best = []
        for beams, scores in zip(self.beams, self.scores, strict=True):
            ids = beams[int(np.argmax(scores))][1:]
            best.append(tuple(ids[: ids.index(END)] if END in ids else ids))
        return best


def read_cases() -> dict[str, SearchCase]:
    """Those remembered."""
    return {name: SearchCase(**row) for name, row in json.loads(FILE.read_text()).items()}


def published(name: str, oracle: Path) -> SearchCase:
    """A reference of the oracle."""
    entry = json.loads((oracle / "golden" / "models_nlp.json").read_text())["models"][name]
    stored = np.load(oracle / "golden" / "models_nlp" / f"{name}.npz")

    def whole(place: int) -> Any:
        return stored[f"out{place}_value"].reshape(stored[f"out{place}_shape"])

    values = stored["out1_value"].reshape(-1)
    places = stored.get("out1_index", np.arange(len(values)))
    kept = np.linspace(0, len(values) - 1, 16).astype(int)
    return SearchCase(
        entry["builder"],
        entry["gain"],
        entry["gain_embedding"],
        entry["eos_row_factor"],
        whole(3).astype(int).tolist(),
        whole(7).tolist(),
        [(int(places[i]), float(values[i])) for i in kept],
    )


if __name__ == "__main__":
    oracle = HERE.parents[3] / "shared" / "oracle"
    lines = (f" {json.dumps(name)}: {json.dumps(vars(published(name, oracle)))}" for name in SMALL)
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
