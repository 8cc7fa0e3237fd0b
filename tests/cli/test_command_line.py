"""The command line as a person or a script meets it: a process, its two streams, its exit code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.program import zoohub
from zoohub.cli.main import VERBS, main

pytestmark = pytest.mark.smoke


def test_list_shows_the_models_and_imports_no_mindspore() -> None:
    zoohub("list")  # in a checkout, the first command compiles the YAML
    code = (
        "import sys; from zoohub.cli.main import main; main(['list', 'lenet*']);"
        "heavy = {'mindspore', 'numpy', 'requests', 'yaml', 'tqdm', 'huggingface_hub'};"
        "heavy |= {'zoohub.manifest.entry', 'zoohub.networks.family', 'zoohub.models.provenance'};"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "lenet5" in done.stdout
    assert done.stderr.splitlines()[-1] == "[]"


def test_list_as_json_is_an_array_of_models_with_their_checkpoints() -> None:
    done = zoohub("list", "lenet5", "--json")
    assert done.returncode == 0
    (model,) = json.loads(done.stdout)
    assert model["model"] == "lenet5"
    assert model["family"] == "lenet"
    assert model["task"] == "image-classification"
    assert model["runnable"] is True
    assert model["cached"] is False
    keys = {"id", "sources", "sha256", "sha256_prefix", "size", "format", "dataset", "metrics"}
    for checkpoint in model["checkpoints"]:
        assert keys | {"licence", "declared", "recorded"} <= set(checkpoint)


def test_an_empty_listing_is_an_empty_array() -> None:
    done = zoohub("list", "no-such-model*", "--json")
    assert (done.returncode, done.stdout) == (0, "[]\n")


@pytest.mark.parametrize(
    "words",
    [
        ("list", "no-such-model*"),
        ("list", "--cached"),
        ("list", "--task", "crowd-counting", "--format", "pth"),
        ("search", "zzzqqq"),
        ("cache", "list"),
        ("cache", "verify"),
        ("cache", "prune", "--older-than", "1d", "-y"),
        ("cache", "clear", "-y"),
    ],
    ids=" ".join,
)
def test_nothing_found_is_no_failure_and_is_said_on_stderr(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.strip()
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_sorting_by_metric_puts_the_best_first_and_impossible_figures_last(tmp_path: Path) -> None:
    top1 = {"good": 80, "share": 0.9, "pointless": 7854, "fair": 70, "none": None}
    index = tmp_path / "index" / "image-classification" / "sorted.yaml"
    index.parent.mkdir(parents=True)
    lines = ["family: sorted", "task: image-classification", "models:"]
    for name, value in top1.items():
        metrics = "" if value is None else f"metrics: {{top1: {value}}}, "
        lines += [f"  sorted-{name}:", "    default: a", "    checkpoints:"]
        lines += [f"      a: {{format: ckpt, {metrics}sources: ['https://a.example/{name}']}}"]
    index.write_text("\n".join(lines))
    arguments = ("list", "sorted-*", "--sort", "metric", "--json")
    done = zoohub(*arguments, ZOOHUB_INDEX=str(tmp_path / "index"))
    names = [model["model"].removeprefix("sorted-") for model in json.loads(done.stdout)]
    assert names == ["share", "good", "fair", "pointless", "none"]


def test_a_misspelt_filter_is_one_line_with_what_it_may_mean(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for form in ([], ["--json"]):
        assert main(["list", "--task", "image-clasification", *form]) == 2
        said = capsys.readouterr()
        assert "no task is called 'image-clasification'; closest are image-class" in said.err
        assert said.out == ""
    assert main(["list", "--task", "zzz"]) == 2
    assert len(capsys.readouterr().err) < 400
    assert main(["list", "--format", "ckp"]) == 2
    assert "closest are ckpt" in capsys.readouterr().err


def test_a_misspelt_command_is_one_line_with_the_closest_ones() -> None:
    done = zoohub("finetun", "lenet5")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "no command is called 'finetun'; closest are finetune" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "--taks", "x"), "there is no option --taks; closest: --task"),
        (
            ("predict", "lenet5", "a.png", "--treshold=0.5"),
            "there is no option --treshold; closest: --threshold",
        ),
        (("cache", "list", "--what"), "there is no option --what"),
        (("info", "lenet5", "--zzzzzz"), "there is no option --zzzzzz"),
    ],
)
def test_a_misspelt_option_is_one_line_with_the_closest_ones(
    arguments: tuple[str, ...], said: str
) -> None:
    done = zoohub(*arguments)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"zoohub: {said}")
    command = "cache list" if arguments[0] == "cache" else arguments[0]
    assert line.endswith(f"`zoohub {command} --help` shows how to use it")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "--json=1"), "--json takes no value: leave =1 out;"),
        (("list", "--sort"), "--sort: the value is missing;"),
        (("cache", "remov"), "there is no action 'remov'; did you mean remove?"),
        (("export", "x", "--format", "onx"), "--format: there is no choice 'onx'; did you mean on"),
        (("list", "--sort", "age"), "--sort: there is no choice 'age'; there are name, metric, s"),
        (("predict", "lenet5", "--top", "x", "a.png"), "--top 'x': a whole number is needed;"),
        (("predict",), "the following arguments are required: NAME|RUN|FILE, INPUT;"),
        (("--top", "1", "predict", "x"), "--top is no option of every command; those of one stand"),
        (("--top=1", "predict", "x"), "--top is no option of every command; those of one stand"),
        (("--json=1", "list"), "--json takes no value: leave =1 out;"),
        (("-qx", "list"), "-q/--quiet takes no value: leave =x out; `zoohub --help`"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else "",
)
def test_what_argparse_would_say_is_said_in_one_line_of_ours(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"zoohub: {said}")
    assert " --help` " in line or line.endswith("--help`")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("predict", "lenet5", "--top", "3", "a.png"), "a.png: there is no such file"),
        (
            ("predict", "lenet5", "a.png", "--top", "3", "b.png", "--json", "c.png"),
            "a.png: there is no such file; b.png: there is no such file; c.png: there is no such",
        ),
        (("cache", "remove", "--yes", "lenet9"), "no model is called 'lenet9'"),
        (("predict", "lenet5", "--top", "3", "--", "-a.png"), "-a.png: there is no such file"),
        (("info", "lenet5", "--json", "--", "-b"), "no model is called '-b'"),
        (("list", "lenet5", "--json", "yolov5"), "there is no place for 'yolov5'"),
    ],
)
def test_options_may_stand_before_a_list_and_in_it(arguments: tuple[str, ...], said: str) -> None:
    done = zoohub(*arguments)
    assert done.returncode
    assert done.stderr.splitlines()[-1].startswith(f"zoohub: {said}")


def test_info_says_where_a_model_comes_from_and_how_to_use_it() -> None:
    done = zoohub("info", "yolov5")
    assert done.returncode == 0
    assert done.stdout.startswith("yolov5s  (object-detection, family yolov5)")
    assert "860bcf3b" in done.stdout
    assert "https://download.mindspore.cn/toolkits/mindyolo/yolov5/" in done.stdout
    assert 'zoohub.load("yolov5s", pretrained=True)' in done.stdout


def test_info_offers_training_of_what_can_be_trained() -> None:
    offered = "  zoohub finetune {} --data folder/"
    for name, learns in (("yolov5s", True), ("resnet50", True), ("ssd300", False)):
        lines = zoohub("info", name).stdout.splitlines()
        assert f"  zoohub predict {name} picture.jpg" in lines
        assert (offered.format(name) in lines) is learns


def test_an_unknown_name_is_one_line_with_the_closest_names() -> None:
    done = zoohub("info", "resnet5O")
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("zoohub: ")
    assert "resnet50" in line


def test_debug_shows_where_an_error_was_raised() -> None:
    done = zoohub("info", "resnet5O", "--debug")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_download_prints_only_the_path() -> None:
    done = zoohub("download", "lenet5@digits")
    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.strip())
    assert path.is_file()
    assert path.suffix == ".ckpt"


def test_download_names_its_copies_after_model_and_checkpoint(tmp_path: Path) -> None:
    done = zoohub("download", "lenet5@digits", "--output", str(tmp_path / "out"))
    assert done.stdout.strip() == str(tmp_path / "out" / "lenet5-digits.ckpt")
    assert (tmp_path / "out" / "lenet5-digits.ckpt").stat().st_size > 100_000


def test_download_offline_says_how_to_mirror_and_what_works_without_a_network() -> None:
    done = zoohub("download", "lenet5", "--offline")
    assert done.returncode == 5
    assert "ZOOHUB_MIRROR" in done.stderr
    assert done.stderr.endswith(" lenet5@digits ships with zoohub and works offline.\n")
    done = zoohub("download", "yolov8n@mindyolo", "--offline")
    assert "yolov8n@digits and yolov8n_seg@digits ship with zoohub and work offline." in done.stderr


def test_some_downloads_failing_is_exit_code_three() -> None:
    done = zoohub("download", "lenet5@digits", "lenet5", "--offline")
    assert done.returncode == 3
    assert len(done.stdout.splitlines()) == 1
    assert "1 done, 1 failed" in done.stderr


def test_a_read_only_home_is_a_store_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    done = zoohub("download", "lenet5@digits", ZOOHUB_HOME=str(blocked))
    assert done.returncode == 1
    assert str(blocked) in done.stderr
    assert "Traceback" not in done.stderr


def test_cache_dir_prints_the_folder(tmp_path: Path) -> None:
    done = zoohub("cache", "dir", ZOOHUB_HOME=str(tmp_path / "elsewhere"))
    assert done.stdout.strip() == str(tmp_path / "elsewhere")


def test_inspect_lists_the_parameters_of_a_checkpoint() -> None:
    done = zoohub("inspect", "lenet5@digits", "--json")
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert rows["conv1.weight"]["shape"] == [6, 1, 5, 5]
    assert rows["fc3.bias"] == {"name": "fc3.bias", "shape": [10], "dtype": "float32", "size": 40}


def test_help_ends_with_examples() -> None:
    for verb in ("list", "search", "info", "download", "predict", "cache", "doctor", "demo"):
        done = zoohub(verb, "--help")
        assert done.returncode == 0
        assert f"zoohub {verb}" in done.stdout.split("examples:")[1]


def test_options_are_grouped_and_those_of_every_command_come_last() -> None:
    told = zoohub("finetune", "--help").stdout
    groups = re.findall(r"^(\w.*):$", told, re.MULTILINE)
    assert groups[:2] == ["positional arguments", "options"]
    assert groups[-2:] == ["everywhere", "examples"]
    assert "what it starts from" in groups
    start = told.split("what it starts from:")[1].split("\n\n")[0]
    assert [word for word in start.split() if word.startswith("--")] == [
        "--checkpoint", "--ema", "--scratch", "--force"
    ]  # fmt: skip


def test_the_help_of_all_and_of_one_name_their_commands() -> None:
    every = zoohub("--help").stdout
    assert all(f"    {verb}" in every for verb in VERBS)
    assert zoohub("--help", "list").stdout == every
    assert zoohub("list", "--help").stdout.startswith("usage: zoohub list ")
    assert zoohub("--offline", "list", "--help").stdout == zoohub("list", "--help").stdout


@pytest.mark.parametrize("arguments", [(), ("frobnicate",), ("list", "--no-such-option")])
def test_a_usage_error_is_exit_code_two(arguments: tuple[str, ...]) -> None:
    assert zoohub(*arguments).returncode == 2


@pytest.mark.parametrize(
    ("guess", "verb"), [("ls", "list"), ("show", "info"), ("pull", "download")]
)
def test_the_names_people_guess_work(guess: str, verb: str) -> None:
    assert zoohub(guess, "--help").stdout.split("examples:")[1].count(f"zoohub {verb}") >= 1


def test_a_batch_of_no_pictures_is_a_usage_error() -> None:
    done = zoohub("eval", "lenet5@digits", "--data", "digits", "--batch-size", "0")
    assert done.returncode == 2
    assert done.stderr == "zoohub: batch_size=0: a whole number from 1 is needed\n"


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -c 'from zoohub.cli.main import entry_point as e; e()' list"
    done = subprocess.run(
        ["bash", "-c", f"{command} | head -1; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] in ("0", "141")
    assert done.stderr == ""


def test_a_bad_setting_is_reported_before_anything_is_done() -> None:
    done = zoohub("list", ZOOHUB_TIMEOUT="soon")
    assert done.returncode == 1
    assert "ZOOHUB_TIMEOUT='soon'" in done.stderr


def test_the_package_runs_as_a_module_and_tells_its_version() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "zoohub", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("zoohub 0.")


def test_options_for_all_may_stand_before_the_verb() -> None:
    before = zoohub("--json", "cache", "dir")
    assert json.loads(before.stdout) == json.loads(zoohub("cache", "dir", "--json").stdout)


def test_pictures_that_cannot_be_read_are_named_and_the_others_predicted(tmp_path: Path) -> None:
    import zoohub as package

    digits = Path(package.__file__).parent / "_data" / "digits"
    (tmp_path / "words.png").write_text("no picture")
    good = str(digits / "digit-0070-is-1.png")
    done = zoohub("predict", "lenet5@digits", good, str(tmp_path / "words.png"), "--json")
    assert done.returncode == 3
    first, second = json.loads(done.stdout)
    assert first["predictions"][0]["label"] == "1"
    assert first["predictions"][0]["box"] is None
    assert "words.png" in second["error"]
    assert "words.png" in done.stderr


def test_a_picture_that_is_not_there_is_told_before_a_network_is_fetched() -> None:
    done = zoohub("predict", "resnet50", "nofile.png", "--offline")
    assert done.returncode == 1  # and not 5: nobody has asked for the weights
    assert done.stderr == "zoohub: nofile.png: there is no such file\n"


@pytest.mark.parametrize("verb", ["finetune", "eval"])
def test_what_is_wrong_with_the_data_is_said_before_weights_are_fetched(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOOHUB_HOME", str(tmp_path / "home"))  # with nothing in it
    table = tmp_path / "bad.csv"
    table.write_text("txt,lab\na,b\n")
    for name, data, wanted in (
        ("yolov8n", tmp_path / "nowhere.yaml", "nowhere.yaml"),
        ("bert_base_cased_finetuned_mrpc", table, "bad.csv:1: expected the columns text and label"),
    ):
        assert main([verb, name, "--data", str(data), "--offline"]) == 1
        assert wanted in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("finetune", "lenet5@digits"), "say what to train on (--data)"),
        (("finetune", "lenet5", "--data", "digits", "--views", "2"), "--views with --freeze"),
        (("predict", "lenet5@digits", "a.png", "--save", "b.png"), "drawings are made of"),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else "",
)
def test_arguments_that_mean_nothing_together_are_a_usage_error(
    words: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "a.png").touch()
    monkeypatch.chdir(tmp_path)
    assert main([*words, "--offline"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("predict", "lenet5@digits", "a.png", "--csv", "there"), "there is a folder"),
        (("download", "lenet5@digits", "--output", "a.png"), "a.png is a file; --output names"),
        (("finetune", "wan2_1", "--data", "there"), "the task 'multi-modal'"),
        (("inspect", "wan2_1"), "wan2_1 has no published checkpoint"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_file_for_a_folder_or_nothing_for_something_is_said_in_a_line(
    words: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "a.png").write_text("no picture")
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main([*words, "--offline"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert "Errno" not in line


def test_a_sound_graph_is_not_called_damaged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "net.onnx").write_bytes(b"\x08\x07\x12\x07pytorch" + bytes(99))
    assert main(["info", str(tmp_path / "net.onnx")]) == 2
    assert "`zoohub predict " in capsys.readouterr().err
    assert main(["inspect", str(tmp_path / "net.onnx")]) == 1
    assert "an ONNX graph, for inference: `zoohub predict`" in capsys.readouterr().err


@pytest.mark.slow
def test_measuring_with_a_picture_left_out_is_exit_code_three(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("L", (32, 32)).save(tmp_path / "a.png")
    (tmp_path / "rows.csv").write_text("path,label\na.png,0\ngone.png,1\n")
    assert main(["eval", "lenet5@digits", "--data", str(tmp_path / "rows.csv")]) == 3
    said = capsys.readouterr()
    assert "left out: gone.png: no such file" in said.err
    assert said.out.split()[:3] == ["lenet5@digits", "pictures", "1"]
