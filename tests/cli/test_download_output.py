"""`zoohub download --output`: whole files, each with a name of its own."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.program import zoohub

CODE = "from zoohub.cli.main import entry_point; entry_point()"


def index_of(folder: Path, contents: dict[str, bytes]) -> str:
    """An index of a user's own, with a file for each `model@id`."""
    file = folder / "index" / "image-classification" / "adv.yaml"
    file.parent.mkdir(parents=True)
    models: dict[str, list[str]] = {}
    for reference, content in contents.items():
        model, _, id = reference.partition("@")
        source = folder / (hashlib.sha256(reference.encode()).hexdigest()[:12] + ".ckpt")
        source.write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        models.setdefault(model, []).append(
            f"      {id}: {{format: ckpt, sha256: '{sha256}', sources: ['{source.as_uri()}']}}\n"
        )
    text = "family: adv\ntask: image-classification\nmodels:\n"
    for model, lines in models.items():
        text += f"  {model}:\n    checkpoints:\n" + "".join(lines)
    file.write_text(text)
    return str(folder / "index")


@pytest.mark.parametrize(
    "references",
    [("a-b@c", "a@b-c"), ("net@x", "Net@x"), ("a-b@c", "A@b-c"), ("a@b-c-d", "a-b@c-d", "a-b-c@d")],
)
@pytest.mark.parametrize("together", [True, False])
def test_two_checkpoints_never_share_an_output_name(
    tmp_path: Path, references: tuple[str, ...], together: bool
) -> None:
    contents = {reference: reference.encode() * 100 for reference in references}
    index, out = index_of(tmp_path, contents), str(tmp_path / "out")
    calls = [references] if together else [(reference,) for reference in references]
    paths: list[str] = []
    for names in calls:
        done = zoohub("download", *names, "--output", out, ZOOHUB_INDEX=index)
        assert done.returncode == 0, done.stderr
        paths += done.stdout.splitlines()
    assert len({path.lower() for path in paths}) == len(references)
    for path, reference in zip(paths, references, strict=True):
        assert Path(path).read_bytes() == contents[reference]


def test_many_at_once_never_show_half_a_file_and_all_succeed(tmp_path: Path) -> None:
    content = os.urandom(8_000_000)
    index, target = index_of(tmp_path, {"m@c": content}), tmp_path / "out" / "m-c.ckpt"
    environ = {**os.environ, "ZOOHUB_INDEX": index}
    zoohub("download", "m@c", ZOOHUB_INDEX=index)
    command = [sys.executable, "-c", CODE, "download", "m@c", "--output", str(target.parent)]
    processes = [
        subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL) for _ in range(5)
    ]
    wrong = 0
    while any(process.poll() is None for process in processes):
        if target.exists() and target.stat().st_size != len(content):
            wrong += 1
        time.sleep(0.002)
    assert (wrong, [process.returncode for process in processes]) == (0, [0] * 5)
    assert [path.name for path in target.parent.iterdir()] == ["m-c.ckpt"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_planted_links_are_not_followed(tmp_path: Path) -> None:
    index, out = index_of(tmp_path, {"m@c": b"weights" * 100}), tmp_path / "out"
    victim = tmp_path / "victim"
    victim.write_text("mine")
    out.mkdir()
    for name in ("m-c.ckpt", ".m-c.ckpt.part", ".m-c.ckpt.tmp", f".m-c.ckpt.{os.getpid()}.tmp"):
        (out / name).symlink_to(victim)
    done = zoohub("download", "m@c", "--output", str(out), ZOOHUB_INDEX=index)
    assert (done.returncode, victim.read_text()) == (0, "mine")
    assert (out / "m-c.ckpt").read_bytes() == b"weights" * 100


def test_a_damaged_file_of_the_store_is_not_copied(tmp_path: Path) -> None:
    index = index_of(tmp_path, {"m@c": b"weights" * 100})
    path = Path(zoohub("download", "m@c", ZOOHUB_INDEX=index).stdout.strip())
    status = path.stat()
    path.chmod(0o644)
    path.write_bytes(b"WEIGHTS" * 100)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # so that it looks untouched
    done = zoohub("download", "m@c", "--output", str(tmp_path / "out"), ZOOHUB_INDEX=index)
    assert done.returncode == 4
    assert not list((tmp_path / "out").iterdir())


def test_eight_additions_at_once_are_all_there_and_so_are_the_comments(tmp_path: Path) -> None:
    index = index_of(tmp_path, {"m@c": b"weights" * 100})
    own = tmp_path / "own"
    file = own / "image-classification" / "m.yaml"
    file.parent.mkdir(parents=True)
    text = "# mine\nfamily: m\ntask: image-classification\nmodels:\n  m:  # the model\n"
    text += "    default: z\n    checkpoints:\n      # the first\n"
    text += "      z: {format: ckpt, sources: ['https://a.example/z.ckpt']}  # z\n\n# the end\n"
    file.write_text(text)
    for number in range(8):
        (tmp_path / f"w{number}.ckpt").write_bytes(b"weights")
    command = [sys.executable, "-c", CODE, "index", "add"]
    processes = [
        subprocess.Popen(
            [*command, str(tmp_path / f"w{number}.ckpt"), "--name", f"m@n{number}"],
            env={**os.environ, "ZOOHUB_INDEX": f"{own} {index}"},
            stdout=subprocess.DEVNULL,
        )
        for number in range(8)
    ]
    assert [process.wait(120) for process in processes] == [0] * 8
    after = file.read_text()
    assert all(f"n{number}:" in after for number in range(8))
    assert all(line in after.splitlines() for line in text.splitlines())
    assert zoohub("index", "check", str(own)).returncode == 0


def test_prune_takes_left_over_temporary_files() -> None:
    home = Path(os.environ["ZOOHUB_HOME"])
    zoohub("download", "lenet5@digits")
    (shard,) = (home / "blobs" / "sha256").iterdir()
    left = [shard / "x.json.12ab34cd.new", home / "index" / "a.tmp", home / "refs" / "b.tmp"]
    young = home / "refs" / "young.tmp"
    for path in [*left, young]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half")
    old = time.time() - 7200
    for path in left:
        os.utime(path, (old, old))
    done = zoohub("cache", "prune", "--older-than", "52w", "-y")
    assert done.returncode == 0, done.stderr
    assert [path for path in [*left, young] if path.exists()] == [young]
    assert len(list(shard.glob("*.ckpt"))) == 1
