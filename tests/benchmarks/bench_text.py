"""Networks of texts: how fast one reads beside transformers, and how fast one writes.

    python tests/benchmarks/bench_text.py [--peer PYTHON] [--rounds 7] [--only read|write|lengths]
        [--mode graph|pynative]

`read`: BERT-base with a classifier, 8 texts of 128 tokens, in MindSpore's graph mode and in its
compiled form in onnxruntime, beside transformers on PyTorch (CPU) with the same weights, where the
Python of `--peer` has both. `write`: GPT-2 (124M), 64 tokens after a prompt of 256, each token read
once, beside reading the whole text again for each: of those 64 readings 8, evenly apart, are made
and count eightfold. `lengths`: the Transformer's graph over 20 lengths of sentences, compiled once
and for each. Weights are random. The roads take turns; figures are medians, in seconds.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

TEXTS, TOKENS = 8, 128
PROMPT, NEW = 256, 64
LENGTHS = 20
CHECKED = 8  # of the new tokens: where the text is read again
PEER = """
import re, sys, time
import numpy as np, torch
from transformers import BertConfig, BertForSequenceClassification
folder = sys.argv[1]
net = BertForSequenceClassification(BertConfig(vocab_size=21128)).eval()
own = dict(np.load(folder + "/weights.npz"))
rules = [
    ("^dense_1", "classifier"), (r"^bert\\.dense", "bert.pooler.dense"),
    ("bert_embedding_lookup.embedding_table", "embeddings.word_embeddings.weight"),
    ("bert_embedding_postprocessor.token_type_embedding.embedding_table",
     "embeddings.token_type_embeddings.weight"),
    ("bert_embedding_postprocessor.full_position_embedding.embedding_table",
     "embeddings.position_embeddings.weight"),
    ("bert_embedding_postprocessor.layernorm", "embeddings.LayerNorm"),
    ("bert_encoder.layers", "encoder.layer"), ("intermediate", "intermediate.dense"),
    (r"attention\\.attention\\.(\\w+)_layer", r"attention.self.\\1"), ("layernorm", "LayerNorm"),
    ("gamma$", "weight"), ("beta$", "bias"),
]
state = {}
for name, array in own.items():
    for old, new in rules:
        name = re.sub(old, new, name)
    state[name] = torch.from_numpy(array)
missing, unknown = net.load_state_dict(state, strict=False)
assert not unknown and all("position_ids" in name for name in missing), (missing, unknown)
batch = {k: torch.from_numpy(v).long() for k, v in np.load(folder + "/batch.npz").items()}
with torch.inference_mode():
    for line in sys.stdin:
        began = time.perf_counter()
        logits = net(**batch).logits.numpy()
        seconds = time.perf_counter() - began
        np.save(folder + "/logits.npy", logits)
        print(seconds, flush=True)
"""

Road = Callable[[], float]


def clocked(work: Callable[[], object]) -> Road:
    """The work, which says how many seconds it took."""

    def run() -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    return run


def in_turns(roads: Mapping[str, Road], rounds: int) -> dict[str, float]:
    """Median seconds of each road, after one round that is not counted."""
    found = [{name: road() for name, road in roads.items()} for _ in range(rounds + 1)][1:]
    return {name: statistics.median(one[name] for one in found) for name in roads}


def randomised(net: Any, scale: float = 0.05) -> Any:
    """The network with tables and weights that make its answers differ."""
    import mindspore as ms

    random = np.random.default_rng(1)
    for parameter in net.get_parameters():
        if parameter.ndim == 2:
            values = random.standard_normal(parameter.shape).astype(np.float32) * scale
            parameter.set_data(ms.Tensor(values))
    return net.set_train(False)


def bench_reading(peer: str | None, rounds: int) -> None:
    """BERT on three roads."""
    from zoohub.graphs.compiling import compile_form
    from zoohub.graphs.metadata import Metadata
    from zoohub.manifest.entry import InputContract, TextContract
    from zoohub.networks.families import find_family
    from zoohub.running import CellRunner, OnnxRunner

    family = find_family("bert")
    net = family.load()(
        type_vocab_size=2,
        hidden_act="gelu",
        layer_norm_eps=1e-12,
        head="classification",
        log_softmax=False,
    )
    randomised(net)
    ids = np.random.default_rng(0).integers(1, 21128, (TEXTS, TOKENS)).astype(np.int32)
    mask = (np.arange(TOKENS) < np.arange(TOKENS, 0, -TOKENS // TEXTS)[:, None]).astype(np.int32)
    batch = {"input_ids": ids, "token_type_ids": np.zeros_like(ids), "attention_mask": mask}
    contract = InputContract(text=TextContract(max_length=512, vocab_size=21128))
    said = Metadata(model="bert_base", task="text-classification", family="bert", input=contract)
    form = compile_form(net, family, batch, said)
    onnx = OnnxRunner(form.model, inputs=family.inputs)
    graph = CellRunner(net, "graph", inputs=family.inputs, outputs=("logits",))
    roads = {
        "MindSpore, graph mode": clocked(lambda: graph.run(batch)),
        "onnxruntime, compiled form": clocked(lambda: onnx.run(batch)),
    }
    with tempfile.TemporaryDirectory() as folder:
        if peer is not None:
            own = {p.name: p.asnumpy() for p in net.get_parameters()}
            np.savez(Path(folder) / "weights.npz", **own)
            np.savez(Path(folder) / "batch.npz", **batch)
            roads["transformers on PyTorch"] = asked(peer, folder)
        medians = in_turns(roads, rounds)
        print(f"BERT-base, {TEXTS} texts of {TOKENS} tokens", *lines(medians), sep="\n")
        if peer is None:
            return
        wanted = np.load(Path(folder) / "logits.npy")
        for name, runner in (("graph mode", graph), ("compiled form", onnx)):
            (found,) = runner.run(batch).values()
            difference = np.abs(found - wanted).max() / np.abs(wanted).max()
            print(f"  {name} differs from transformers by {difference:.1e} (relative)")


def asked(peer: str, folder: str) -> Road:
    """A road that another process goes, and clocks itself."""
    server = subprocess.Popen(
        [peer, "-c", PEER, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdin is not None
    assert server.stdout is not None
    to, back = server.stdin, server.stdout

    def run() -> float:
        to.write("\n")
        to.flush()
        return float(back.readline())

    return run


def bench_writing(rounds: int, mode: str) -> None:
    """GPT-2, remembering and reading again."""
    from zoohub.networks.families import find_family
    from zoohub.running import CellRunner
    from zoohub.tasks.generation.memory import RememberingReader
    from zoohub.tasks.generation.options import GenerationOptions
    from zoohub.tasks.generation.rows import Prompt
    from zoohub.tasks.generation.writing import write

    family = find_family("gpt2")
    net = randomised(family.load()())
    parts = {
        name: CellRunner(
            part.net, mode, inputs=[one.name for one in part.inputs], outputs=part.outputs
        )
        for name, part in family.parts_of(net).items()
    }
    ids = np.random.default_rng(0).integers(0, 50256, PROMPT).astype(np.int32)

    def written(tokens: int) -> list[int]:
        options = GenerationOptions(max_new_tokens=tokens)
        prompt = Prompt("prompt", tuple(ids.tolist()), 1024 - PROMPT, None, options)
        return write(RememberingReader(parts["read"], parts["next"]), [prompt])[0]

    compiling = clocked(lambda: written(2))()
    new = written(NEW)  # of which what is read again follows
    places = range(0, NEW, NEW // CHECKED)
    found: dict[int, int] = {}

    def read_again() -> None:
        for place in places:
            text = np.concatenate([ids, np.array(new[:place], np.int32)])
            row = {"ids": text[None], "lengths": np.array([len(text)], np.int32)}
            found[place] = int(parts["read"].run(row)["logits"][0].argmax())

    again = clocked(read_again)
    medians = in_turns(
        {
            "remembering": clocked(lambda: written(NEW)),
            "reading again": lambda: again() * NEW / CHECKED,
        },
        rounds,
    )
    same = all(found[place] == new[place] for place in places)
    print(
        f"GPT-2, {mode} mode, {NEW} tokens after {PROMPT}; the first two, with compiling, took "
        f"{compiling:.1f} s; reading again finds the same tokens: {same}",
        *lines(medians),
        f"  {medians['reading again'] / medians['remembering']:.1f} times as fast",
        sep="\n",
    )


def bench_lengths() -> None:
    """The Transformer's training graph over sentences of 20 lengths: compiled once, and for each.

    Six layers as in `large`, of fewer channels: compiling does not depend on them.
    """
    import mindspore
    from mindspore import Tensor, nn

    from zoohub.networks.families import find_family

    class AnewForEachLength(nn.Cell):
        """The network without its word that lengths are free."""

        def __init__(self, net: nn.Cell) -> None:
            super().__init__()
            self.net = net

        def construct(self, source: Any, seen: Any, target: Any, asked: Any) -> Any:
            return self.net(source, seen, target, asked)

    mindspore.set_context(mode=mindspore.GRAPH_MODE)
    build = find_family("transformer").load()
    sizes = {"hidden_size": 64, "intermediate_size": 128, "vocab_size": 1000}
    took: dict[str, float] = {}
    for name, wrap in (("compiled once", lambda net: net), ("for each", AnewForEachLength)):
        net = wrap(randomised(build(**sizes))).set_train(False)
        began = time.perf_counter()
        for length in range(5, 5 + LENGTHS):
            ids = Tensor(np.full((2, length), 3, np.int32))
            ones = Tensor(np.ones((2, length), np.int32))
            net(ids, ones, ids, ones).asnumpy()
        took[name] = time.perf_counter() - began
        print(f"Transformer, {LENGTHS} lengths {name}: {took[name]:.1f} s", flush=True)
        print(f"  {len(net.compile_cache)} graphs")
    print(f"  {took['compiled once'] / took['for each']:.2f} of the time")


def lines(medians: Mapping[str, float]) -> list[str]:
    """A line a road, with how fast it is beside the last."""
    last = list(medians.values())[-1]
    return [f"  {name}: {took:.3f} s ({last / took:.2f})" for name, took in medians.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", help="a Python that has torch and transformers")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", choices=("read", "write", "lengths"))
    parser.add_argument(
        "--mode", choices=("graph", "pynative"), default="pynative", help="to write"
    )
    options = parser.parse_args()
    if options.only in (None, "read"):
        bench_reading(options.peer, options.rounds)
    if options.only in (None, "lengths"):
        bench_lengths()
    if options.only in (None, "write"):
        bench_writing(max(1, options.rounds // 3), options.mode)


if __name__ == "__main__":
    sys.exit(main())
