"""Files of results that grow as results come, and go on after a kill at any byte."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.full_disk import files_limited_to
from zoohub.cli.main import main
from zoohub.errors import DataError
from zoohub.predicting.makers import Maker, check_maker, find_maker, write_maker
from zoohub.predicting.result_file import ResultFile
from zoohub.predicting.result_files import open_result_file
from zoohub.settings import Settings, load_settings
from zoohub.tasks.results import Label, Prediction

NAMES = [f"{place}.png" for place in range(8)]
NAMES[3:5] = ["3, ü\udce9.png", "4\r of two\r\nlines.png"]


def prediction(place: int) -> Prediction[Label]:
    """Two results each; input 0 and 5 cannot be read, nothing is found in input 2."""
    if place in (0, 5):
        return Prediction(NAMES[place], error='not a "picture", at all')
    labels = (Label("ant, red", 0, 0.75, (1, 2, 3, 4)), Label("bee", 1, 0.25))
    return Prediction(NAMES[place], () if place == 2 else labels, engine="onnxruntime")


def write(path: Path, format: str, count: int = len(NAMES), *, resume: bool = False) -> list[int]:
    """Write what the first `count` inputs give, as `predict` does; says which were written."""
    written = []
    with open_result_file(path, format, resume=resume) as file:
        left = dict(file.done)
        for place in range(count):
            if left.get(NAMES[place], 0):
                left[NAMES[place]] -= 1
                continue
            file.write(prediction(place))
            written.append(place)
    return written


def test_a_line_an_input_is_what_json_says(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.jsonl"
    write(path, "jsonl")
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert lines == [prediction(place).to_json() for place in range(len(NAMES))]


def test_a_row_a_result_has_its_rank_and_lists_as_json(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "csv")
    with (tmp_path / "a.csv").open(newline="", errors="surrogateescape") as file:
        rows = list(csv.DictReader(file))
    assert [(row["input"], row["rank"]) for row in rows[:4]] == [
        ("0.png", "0"), ("1.png", "1"), ("1.png", "2"), ("2.png", "0"),
    ]  # fmt: skip
    assert rows[0]["error"] == 'not a "picture", at all'
    assert rows[1]["label"] == "ant, red"
    assert float(rows[1]["score"]) == 0.75
    assert json.loads(rows[1]["box"]) == [1, 2, 3, 4]
    assert rows[2]["box"] == ""
    assert {row["input"] for row in rows} == set(NAMES)


@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_cut_off_at_any_byte_it_goes_on_and_becomes_the_same(tmp_path: Path, format: str) -> None:
    path = tmp_path / "a"
    write(path, format)
    whole = path.read_bytes()
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        write(path, format, resume=True)
        assert path.read_bytes() == whole, length


@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_a_result_may_be_as_long_as_an_objects_outline(tmp_path: Path, format: str) -> None:
    limit = csv.field_size_limit()  # of others, who may have set it
    long = Prediction("a.png", (Label("x" * 200_000, 0, 0.5),))
    for _ in range(2):
        with open_result_file(tmp_path / "a", format, resume=True) as file:
            for _ in range(3 - file.done["a.png"]):
                file.write(long)
    assert (tmp_path / "a").read_bytes().count(b"a.png") == 3
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_what_is_there_is_not_done_again(tmp_path: Path, format: str) -> None:
    write(tmp_path / "a", format, 4)
    redone = write(tmp_path / "a", format, resume=True)
    assert redone in ([4, 5, 6, 7], [3, 4, 5, 6, 7])  # rows of a .csv's last may be missing
    assert write(tmp_path / "a", format, resume=True) in ([], [7])


@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_an_input_named_twice_is_done_twice(tmp_path: Path, format: str) -> None:
    for _ in range(2):
        with open_result_file(tmp_path / "a", format, resume=True) as file:
            assert file.done["1.png"] <= 2
            for _ in range(2 - file.done["1.png"]):
                file.write(prediction(1))
    rows = (tmp_path / "a").read_bytes().count(b"bee")
    assert rows == 2


@pytest.mark.parametrize("format", ["jsonl", "csv", "parquet"])
def test_a_file_that_is_there_is_not_written_over(tmp_path: Path, format: str) -> None:
    if format == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / "a"
    write(path, format)
    before = path.read_bytes()
    with pytest.raises(DataError, match="is there already: --resume goes on with it"):
        write(path, format)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("format", "text"),
    [
        ("jsonl", b"# mine\nand mine\n"),
        ("jsonl", b'{"a": 1}\n{"a": 2}\n'),
        ("csv", b"a,b\n1,2\n"),
        ("jsonl", b"# mine"),
        ("csv", b"mine"),
        ("csv", b"input,engine,error,rank,label\na\rb.png,,,1,ant\n"),
    ],
)
def test_a_file_of_another_kind_is_left_as_it_is(tmp_path: Path, format: str, text: bytes) -> None:
    (tmp_path / "a").write_bytes(text)
    with pytest.raises(DataError, match="is no file of predictions to go on with"):
        write(tmp_path / "a", format, resume=True)
    assert (tmp_path / "a").read_bytes() == text


@pytest.mark.parametrize("stop_after", [1, 4, 7])
def test_a_parquet_file_appears_whole_after_stops(tmp_path: Path, stop_after: int) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"

    def stopped(file: ResultFile) -> None:
        for place in range(1, stop_after + 1):
            file.write(prediction(place if place != 3 else 1))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), open_result_file(path, "parquet", resume=False) as file:
        stopped(file)
    assert not path.exists()
    with open_result_file(path, "parquet", resume=True) as file:
        assert file.done.total() == stop_after
        file.write(prediction(6))
    with open_result_file(path, "parquet", resume=True) as file:  # a finished one grows too
        assert file.done["6.png"] == 1 + (stop_after >= 6)
        file.write(prediction(7))
    rows = parquet.read_table(path).to_pylist()
    assert sum(row["rank"] <= 1 for row in rows) == stop_after + 2
    assert rows[0] == {"input": "1.png", "engine": "onnxruntime", "error": None, "rank": 1,
                       "label": "ant, red", "index": 0, "score": 0.75,
                       "box": [1.0, 2.0, 3.0, 4.0]}  # fmt: skip
    assert not [*tmp_path.glob(".*")]


def test_lines_that_a_kill_left_beside_their_parquet_file_count_once(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path, lines = tmp_path / "a.parquet", tmp_path / ".a.parquet.partial.jsonl"
    for most in (5, len(NAMES)):
        with open_result_file(path, "parquet", resume=True) as file:
            for place in range(file.done.total(), most):
                file.write(prediction(place))
            left = lines.read_bytes()
        lines.write_bytes(left)  # killed before they were removed
    assert write(path, "parquet", resume=True) == []
    rows = parquet.read_table(path).to_pylist()
    assert sum(row["rank"] <= 1 for row in rows) == len(NAMES)
    assert not lines.exists()


def test_a_finished_parquet_file_knows_names_that_are_no_unicode(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "a.parquet"
    assert write(path, "parquet") == [*range(len(NAMES))]
    assert write(path, "parquet", resume=True) == []


@pytest.mark.parametrize("text", [b"junk", b"PAR1xxxxPAR1", None])
def test_another_parquet_file_is_left_as_it_is(tmp_path: Path, text: bytes | None) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    if text is None:
        parquet.write_table(pyarrow.table({"mine": [1]}), path)
    else:
        path.write_bytes(text)
    before = path.read_bytes()
    with pytest.raises(DataError, match="is no file of predictions to go on with"):
        write(path, "parquet", resume=True)
    assert not [*tmp_path.glob(".*")]
    assert path.read_bytes() == before


@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_a_full_disk_is_told_in_one_line(format: str) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    put: Callable[[], object] = lambda: _put_many(full, format)  # noqa: E731
    with pytest.raises(DataError, match="cannot be written: No space left on device"):
        put()


def _put_many(path: Path, format: str) -> None:
    from zoohub.predicting import result_files

    kind = {"jsonl": result_files.JsonLines, "csv": result_files.Csv}[format]
    file = kind.__new__(kind)
    ResultFile.__init__(file, path)
    file._columns, file._held = None, []  # type: ignore[union-attr]
    file._file = path.open("wb")  # type: ignore[union-attr]
    file.write(prediction(1))


def maker(**changes: Any) -> Maker:
    return replace(Maker("resnet50", "a" * 64, {"top": 5}), **changes)


@pytest.mark.parametrize(
    ("before", "now", "same"),
    [
        (maker(), maker(), True),
        (maker(), maker(model="resnet50@mindcv"), True),  # the weights are the same
        (maker(weights=None), maker(), True),
        (maker(weights=None), maker(model="resnet50@mindcv"), False),
        (maker(), maker(weights="b" * 64), False),
        (maker(), maker(options={"top": 3}), False),
        (maker(), maker(options={}), False),
    ],
)
def test_only_the_same_model_and_options_go_on_with_a_file(
    tmp_path: Path, before: Maker, now: Maker, same: bool
) -> None:
    path = tmp_path / "found" / "results.jsonl"
    write_maker(path, before)
    if same:
        check_maker(path, now)
        return
    with pytest.raises(DataError, match=r"holds the results of resnet50 \(.*write these into"):
        check_maker(path, now)


def test_a_vocabulary_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", offline=True)
    (tmp_path / "a.txt").write_text("[PAD]\n")
    (tmp_path / "b.txt").write_text("[PAD]\n")
    one, other = (
        find_maker("x", None, {"vocab": str(tmp_path / name)}, settings)
        for name in ("a.txt", "b.txt")
    )
    assert one.same_as(other)
    (tmp_path / "b.txt").write_text("[PAD]\n[UNK]\n")
    assert not one.same_as(find_maker("x", None, {"vocab": str(tmp_path / "b.txt")}, settings))


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_what_fails_before_there_is_a_network_leaves_no_file(tmp_path: Path, format: str) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    vocab = folder / "vocab.json"
    vocab.write_text("{}")
    found = folder / f"found.{format}"
    asked = ("--text", "a", "--question", "b", "--vocab", str(vocab), f"--{format}", str(found))
    assert main(["predict", "bertfinetune_squad", *asked]) == 1
    assert sorted(path.name for path in folder.iterdir()) == ["vocab.json"]


@pytest.mark.parametrize("said", [None, "", "[]", '{"model": "x"}'])
def test_a_file_that_does_not_say_who_made_it_is_gone_on_with(
    tmp_path: Path, said: str | None
) -> None:
    if said is not None:
        (tmp_path / "results.csv.made-by.json").write_text(said)
    check_maker(tmp_path / "results.csv", maker())


def test_the_same_weights_in_another_network_are_another_maker(tmp_path: Path) -> None:
    own, settings = tmp_path / "own.ckpt", load_settings()
    own.write_bytes(b"weights")
    first = find_maker("resnet50@mindcv", own, {"top": 3}, settings)
    assert first.same_as(find_maker("resnet50@mindcv", own, {"top": 3}, settings))
    assert not first.same_as(find_maker("resnet101@mindcv", own, {"top": 3}, settings))
    assert not first.same_as(find_maker("resnet50@mindcv", own, {"top": 2}, settings))
    assert str(first).startswith("resnet50@mindcv (network resnet ")


@pytest.mark.parametrize("format", ["jsonl", "csv", "parquet"])
def test_a_full_disk_is_told_once_and_what_was_written_is_gone_on_with(
    format: str, tmp_path: Path
) -> None:
    if format == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"a.{format}"
    with files_limited_to(600):
        with pytest.raises(DataError, match=r"cannot be written: .*; .* --resume goes on") as told:
            write(path, format)
        assert isinstance(told.value.__cause__, OSError)
    written = write(path, format, resume=True)
    assert written[-1] == len(NAMES) - 1
    assert len(written) < len(NAMES)


@pytest.mark.parametrize("format", ["jsonl", "csv", "parquet"])
def test_a_device_is_no_file_of_results(format: str) -> None:
    with pytest.raises(DataError, match="/dev/zero is a device or pipe; name a file"):
        open_result_file(Path("/dev/zero"), format, resume=False)


@pytest.mark.parametrize("format", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("resume", [False, True])
def test_two_processes_do_not_write_one_file(format: str, resume: bool, tmp_path: Path) -> None:
    if format == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / "results" / f"a.{format}"
    with open_result_file(path, format, resume=resume) as file:
        file.write(prediction(1))
        with pytest.raises(DataError, match=r"another process writes .*a\.\w+: wait for it, or"):
            open_result_file(path, format, resume=True)
        file.write(prediction(3))
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    left = [0, 2, 3] if format == "csv" else [0, 2]  # a table's last input may have lost rows
    assert write(path, format, 4, resume=True) == left


def test_what_another_process_ended_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "results" / "a.jsonl"
    write(path, "jsonl", 2)
    kept = path.read_bytes()
    with pytest.raises(DataError, match="is there already: --resume goes on with it"):
        open_result_file(path, "jsonl", resume=False)
    with pytest.raises(DataError, match="no file of predictions to go on with"):
        open_result_file(path, "csv", resume=True)
    assert path.read_bytes() == kept
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
