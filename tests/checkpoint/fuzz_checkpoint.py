"""Damages checkpoint files in every way it can think of, and checks how they are refused.

    nice python tests/checkpoint/fuzz_checkpoint.py [--minutes 10] [--seed 0]

First every byte of a small file of each format has every bit flipped and is set to the edges of
its range; then, until the time
is up, files get one to eight random mutations (flips, cuts, insertions, giant lengths, splices),
half of PyTorch's in the pickle with the archive's checksum made good again. An input passes when
it is read, or refused with CheckpointError, within two seconds and 512 MiB. Anything else is a
crash: the input is kept in the work folder and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from checkpoint_files import field, pth, record, small_arrays, tensor_proto

from zoohub.checkpoint import open_checkpoint, write_ckpt, write_pth, write_safetensors
from zoohub.errors import CheckpointCorrupt, CheckpointError

FORMATS = ("ckpt", "safetensors", "pth", "legacy")  # PyTorch's from before 1.6
SECONDS = 2
MEMORY = 512 << 20


class TooSlow(Exception):
    """An input took longer than `SECONDS`."""


def base_files(folder: Path) -> dict[str, bytes]:
    """A small sound file of each format."""
    arrays = small_arrays()
    ckpt = write_ckpt(folder / "base", arrays, texts={"note": "hello"}, crc=False).read_bytes()
    # Everything only MindSpore writes: a split tensor, an old scalar, bfloat16, then the trailer.
    ckpt += record("split", [4], "Float32", bytes(8)) * 2
    ckpt += record("lr", [0], "Float32", bytes(4)) + record("half", [2], "BFloat16", bytes(4))
    ckpt += b"crc_num" + bytes(10)
    tensors = write_safetensors(folder / "base", arrays, metadata={"note": "hello"}).read_bytes()
    torch = write_pth(folder / "base", arrays).read_bytes()
    legacy = (Path(__file__).parent / "data" / "torch_legacy.pth").read_bytes()
    return {"ckpt": ckpt, "safetensors": tensors, "pth": torch, "legacy": legacy}


def every_byte(data: bytes) -> Iterator[bytes]:
    """The file with each bit of each byte flipped, and each byte at the edges of its range."""
    for position, byte in enumerate(data):
        values = {byte ^ 1 << bit for bit in range(8)} | {0, 1, 0x7F, 0x80, 0xFF}
        values |= {(byte + 1) % 256, (byte - 1) % 256}
        for value in sorted(values - {byte}):
            yield data[:position] + bytes([value]) + data[position + 1 :]


def mutate(data: bytes, rng: random.Random) -> bytes:
    """The file after one random mutation."""
    at = rng.randrange(len(data) + 1)
    length = min(rng.choice((1, 1, 2, 4, 8, 32)), len(data) - at)
    kind = rng.randrange(9)
    if kind == 0 and at < len(data):
        return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
    if kind == 1:
        return data[:at] + rng.randbytes(length) + data[at + length :]
    if kind == 2:
        return data[:at]
    if kind == 3:
        return data[:at] + data[at + length :]
    if kind == 4:
        return data[:at] + rng.randbytes(length) + data[at:]
    if kind == 5:
        return data[:at] + data[at : at + length] * rng.choice((2, 3, 100)) + data[at + length :]
    if kind == 6:
        other = rng.randrange(len(data) + 1)
        return data[:at] + data[other:]
    if kind == 7:  # a number at the edge of what a field holds
        size = rng.choice((1, 2, 4, 8))
        edge = rng.choice((0, 1, (1 << 8 * size - 1) - 1, 1 << 8 * size - 1, (1 << 8 * size) - 1))
        return data[:at] + edge.to_bytes(size, "little") + data[at + size :]
    varint = b"\xff" * rng.randrange(1, 12) + bytes([rng.randrange(128)])
    return data[:at] + varint + data[at + rng.choice((0, 1, len(varint))) :]


def mutated(format: str, data: bytes, rng: random.Random) -> bytes:
    """The file after one to eight mutations."""
    if format == "pth" and rng.random() < 0.5:
        return _mutated_pickle(data, rng)
    if format == "safetensors" and rng.random() < 0.5:
        return _mutated_header(data, rng)
    if format == "ckpt" and rng.random() < 0.1:
        table = field(3, field(1, tensor_proto([2], "int32", bytes(8))) * 3)
        data = data + field(1, field(1, b"table") + table)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        data = mutate(data, rng)
    return data


def _mutated_pickle(data: bytes, rng: random.Random) -> bytes:
    start = data.index(b"\x80\x02")
    pickled = data[start : data.index(b"PK\x03\x04", start)]
    for _ in range(rng.choice((1, 1, 2, 4))):
        pickled = mutate(pickled, rng)
    return pth(pickled, {str(index): bytes(192) for index in range(3)})


def _mutated_header(data: bytes, rng: random.Random) -> bytes:
    """The header mutated as JSON, its length made good again."""
    length = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    name = rng.choice([key for key in header if key != "__metadata__"])
    key = rng.choice(("dtype", "shape", "data_offsets"))
    odd = (-1, 0, 1 << 63, 10**30, None, True, 0.5, "F32", "BF16", [], [1 << 40] * 3, {}, [[]])
    header[name][key] = rng.choice(odd)
    if rng.random() < 0.3:
        header[name][rng.choice(("dtype", "x"))] = rng.choice(odd)
    text = json.dumps(header).encode()
    if rng.random() < 0.3:
        text = mutate(text, rng)
    return len(text).to_bytes(8, "little") + text + body


def check(path: Path, data: bytes) -> str:
    """Open the damaged file and use all of it; the outcome in a word.

    Raises:
        Exception: anything but a CheckpointError is a crash.
    """
    path.write_bytes(data)
    try:
        weights = open_checkpoint(path)
        table = weights.table()
        for name, array in weights.items():
            if array.shape != table[name].shape:
                raise AssertionError(f"{name!r}: table and array disagree")
            np.add.reduce(array, axis=None)
        open_checkpoint(path, verify=True, published=True)
    except CheckpointCorrupt as error:
        if path.name not in str(error):
            raise AssertionError("the message does not name the file") from error
        return "corrupt"
    except CheckpointError:
        return "refused"
    return "read"


def _expire(*_: object) -> None:
    raise TooSlow


def run(folder: Path, minutes: float, seed: int) -> int:
    """The whole fuzz; prints its figures and returns the number of crashes."""
    signal.signal(signal.SIGALRM, _expire)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    np.seterr(all="ignore")
    rng, outcomes, crashes, slowest = random.Random(seed), Counter[str](), 0, 0.0
    bases = base_files(folder)
    path = folder / "input"

    def attempt(format: str, data: bytes) -> None:
        nonlocal crashes, slowest
        start = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            outcomes[f"{format} {check(path, data)}"] += 1
        except Exception as error:
            crashes += 1
            kept = folder / f"crash-{crashes}.{format}"
            kept.write_bytes(data)
            print(f"CRASH {kept}: {type(error).__name__}: {error}", flush=True)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        slowest = max(slowest, time.perf_counter() - start)

    begin = time.perf_counter()
    for format in FORMATS:
        attempt(format, bases[format])
        if outcomes[f"{format} read"] != 1 and format != "ckpt":  # the .ckpt's CRC is wrong
            raise AssertionError(f"the sound {format} file is not read")
        for data in every_byte(bases[format]):
            attempt(format, data)
    exhaustive = sum(outcomes.values()) + crashes
    while time.perf_counter() - begin < minutes * 60:
        format = rng.choice(FORMATS)
        attempt(format, mutated(format, bases[format], rng))
    total = sum(outcomes.values()) + crashes
    print(f"{total} inputs ({exhaustive} single bytes) in {time.perf_counter() - begin:.0f} s")
    print(", ".join(f"{name}: {count}" for name, count in sorted(outcomes.items())))
    print(f"crashes: {crashes}; slowest input: {slowest * 1000:.0f} ms")
    return crashes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="zoohub-fuzz-", dir=shm))
    sys.exit(1 if run(folder, options.minutes, options.seed) else 0)


if __name__ == "__main__":
    main()
