"""Questions on their way: windowed, answered, measured as SQuAD does, learnt and exported."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoohub
from tests.tasks.loading import example_in, trained
from zoohub.cli.main import main
from zoohub.errors import DataError, UsageError
from zoohub.inputs.text import Question, Sentence
from zoohub.inputs.text.sources import expand_inputs
from zoohub.manifest.entry import NetworkSpec
from zoohub.outputs.text_heads import SpanScores, spans, text_head
from zoohub.tasks.finding import find_reader, find_task, task_for, task_to_learn
from zoohub.tasks.question_answering.interpret import AnsweringOptions
from zoohub.tasks.question_answering.metric import f1, plain
from zoohub.tasks.question_answering.squad import Truth
from zoohub.tasks.question_answering.training_rows import chosen

example = example_in("question_answering")
TASK = find_task("question-answering")
SHARED = "natural-language-understanding"
LONG = Question("q", (2, 11, 3), (*range(5, 11), *range(5, 11), *range(5, 11), 3))  # 18 tokens


def read(source: Path, **settings: Any) -> Any:
    reader = find_reader(TASK, source, "a model")
    return reader.read(replace(reader.describe(source), **settings))


def rows_of(asked: object, length: int = 16, **options: Any) -> list[Any]:
    contract = replace(example.CONTRACT, text=replace(example.CONTRACT.text, max_length=length))
    return list(TASK.prepare(contract, AnsweringOptions(**options))(asked))


def scores(rows: list[Any], *spans: tuple[int, int, int, float]) -> SpanScores:
    """(window, start, end, logit), places of its row."""
    starts = np.zeros((len(rows), 24), np.float32)
    ends = starts.copy()
    for window, start, end, logit in spans:
        starts[window, start] = ends[window, end] = logit
    return SpanScores(starts, ends)


def test_a_network_is_claimed_by_its_head_and_another_gets_one() -> None:
    for builder in ("bert", "albert", "ernie", "nezha"):
        assert task_for(SHARED, NetworkSpec(builder, {"head": "question-answering"})) is TASK
    uie = NetworkSpec("uie", {})
    assert task_for(SHARED, uie) is TASK
    with pytest.raises(DataError, match="networks of the family uie are not trained"):
        TASK.check_network(uie, example.CONTRACT)
    for builder, head in (("bert", "pretraining"), ("albert", "classification")):
        found = TASK.network_for(NetworkSpec(builder, {"head": head}))
        assert found.arguments["head"] == "question-answering"
        assert "dense1" in str(found.head).split()
    for other in (NetworkSpec("ktnet", {}), NetworkSpec("roberta", {"head": "fill-mask"})):
        with pytest.raises(DataError, match=r"with the head 'question-answering' or 'spans'"):
            TASK.check_network(TASK.network_for(other))


def test_a_long_context_is_cut_into_windows_that_leave_nothing_out() -> None:
    for length, stride, starts in ((16, 128, [0, 12]), (16, 4, [0, 4, 8]), (22, 5, [0])):
        rows = rows_of(LONG, length, stride=stride)
        assert [row.geometry.start for row in rows] == starts
        seen = {token for row in rows for token in
                range(row.geometry.start, row.geometry.start + row.geometry.count)}  # fmt: skip
        assert seen == set(range(18))
        for row in rows:
            ids = row.inputs["input_ids"].tolist()
            assert len(ids) <= length
            assert (ids[:3], ids[-1]) == ([2, 11, 3], 3)
            begin = row.geometry.start
            assert tuple(ids[3:-1]) == LONG.context[begin : begin + row.geometry.count]
            assert row.inputs["token_type_ids"].tolist() == [0] * 3 + [1] * (len(ids) - 3)
    with pytest.raises(DataError, match="the question has 3 tokens, the network takes 4: that"):
        rows_of(LONG, 4)


def test_the_answers_of_all_windows_are_put_together() -> None:
    rows = rows_of(LONG, stride=4, top=3)
    form = scores(rows, (0, 8, 9, 6.0), (1, 4, 5, 7.0), (2, 3, 3, 2.0), (2, 0, 0, 4.0))
    options = AnsweringOptions(top=3)
    found = TASK.merge(TASK.interpret(form, rows, None, options))
    # Token 5 is at place 8 of window 0 and at place 4 of window 1, of which the better counts.
    assert (found[0].text, found[0].start, found[0].end) == ("10 5", 5, 7)
    once = TASK.merge(TASK.interpret(scores(rows[1:2], (0, 4, 5, 7.0)), rows[1:2], None, options))
    assert found[0].score == pytest.approx(once[0].score)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert len({(one.start, one.end) for one in found}) == 3
    assert found[0].to_json().keys() == {"text", "score", "start", "end"}


def test_there_is_no_answer_where_every_window_is_sure_of_none() -> None:
    rows = rows_of(LONG, stride=8)
    assert len(rows) == 2
    options = AnsweringOptions()
    (found,) = TASK.merge(
        TASK.interpret(scores(rows, (0, 0, 0, 9.0), (1, 0, 0, 9.0)), rows, None, options)
    )
    assert (found.text, found.start, found.end) == ("", 0, 0)
    assert found.score > 0.99
    assert found.line().endswith("(no answer)")
    (found,) = TASK.merge(
        TASK.interpret(scores(rows, (0, 0, 0, 9.0), (1, 4, 4, 9.0)), rows, None, options)
    )
    assert found.start == rows[1].geometry.start + 1


def test_an_answer_never_ends_before_it_starts_nor_is_longer_than_asked() -> None:
    rows = rows_of(LONG, 22)
    starts, ends = np.zeros((1, 22), np.float32), np.zeros((1, 22), np.float32)
    starts[0, 10], ends[0, 5], ends[0, 14] = 9, 9, 8
    (found,) = TASK.merge(TASK.interpret(SpanScores(starts, ends), rows, None, AnsweringOptions()))
    assert (found.start, found.end) == (7, 12)
    short = AnsweringOptions(max_answer_tokens=3)
    (found,) = TASK.merge(TASK.interpret(SpanScores(starts, ends), rows, None, short))
    assert found.end - found.start <= 3


def test_several_spans_each_have_an_end_of_their_own() -> None:
    rows = rows_of(LONG, 22)
    starts, ends = np.zeros((1, 22), np.float32), np.zeros((1, 22), np.float32)
    starts[0, [3, 5, 9, 15]] = [0.9, 0.8, 0.7, 0.4]
    ends[0, [6, 9, 16]] = [0.9, 0.9, 0.9]
    form = spans({"starts": starts, "ends": ends}, (0, 0))
    found = TASK.merge(TASK.interpret(form, rows, None, AnsweringOptions()))
    assert [(one.start, one.end) for one in found] == [(2, 4), (6, 7)]
    assert found[0].score == pytest.approx(0.72)
    one = AnsweringOptions(top=1, threshold=0.7)
    assert len(TASK.merge(TASK.interpret(form, rows, None, one))) == 1
    nothing = SpanScores(starts * 0, ends, several=True)
    assert TASK.merge(TASK.interpret(nothing, rows, None, one)) == ()
    assert text_head({"starts": starts, "ends": ends}, (0, 0)) == SpanScores(starts, ends)


def test_text_is_answered_in_its_own_characters(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    vocab = str(example.write(tmp_path / "data").with_name("vocab.txt"))
    (row,) = rows_of(Question("q", "Which?", "One  DOGS and two"), vocab=vocab)
    assert row.inputs["input_ids"].tolist() == [2, 11, 1, 3, 5, 10, 13, 12, 6, 3]
    (found,) = TASK.merge(
        TASK.interpret(scores([row], (0, 4, 6, 9.0)), [row], None, AnsweringOptions())
    )
    assert (found.text, found.start, found.end) == ("One  DOGS", 0, 9)
    (same,) = rows_of(Sentence("s", text="One  DOGS and two"), vocab=vocab, question="Which?")
    assert same.inputs["input_ids"].tolist() == row.inputs["input_ids"].tolist()


def test_what_cannot_be_asked_is_one_line() -> None:
    for input, problem in (
        (Sentence("a", text="one"), "nothing is asked of it; give --question STRING"),
        (Question("a", "which?", "one"), r"is text, .*--vocab FILE"),
        (Question("a", (2, 99, 3), (5, 3)), "token 99 is none of the network's 14"),
        (Question("a", (2, 11, 3), (3,)), "a context of no token but the mark that ends it"),
    ):
        with pytest.raises(DataError, match=problem):
            rows_of(input)
    for name in ("top", "stride", "max_answer_tokens"):
        with pytest.raises(UsageError, match=f"{name} must be 1 or more; got 0"):
            AnsweringOptions(**{name: 0})
    with pytest.raises(UsageError, match="question is empty"):
        AnsweringOptions(question=" ")


def test_a_text_and_its_question_without_a_vocabulary_ask_for_that_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = ("--text", "It was built in 1889.", "--question", "When?")
    assert main(["predict", "bertfinetune_squad", *asked]) == 1
    said = capsys.readouterr().err
    assert "is text, which takes the network's vocabulary" in said
    assert "--vocab FILE" in said
    assert main(["predict", "bertfinetune_squad", *asked[:2]]) == 1
    assert "nothing is asked of it; give --question" in capsys.readouterr().err


def test_pairs_are_inputs_and_other_tasks_refuse_them() -> None:
    (one, ids, bad, odd) = expand_inputs(
        [{"question": "who?", "context": "me"}, {"question": [2, 3], "context": [5, 3]},
         {"question": "who?", "context": ""}, {"question": [2, -3], "context": [5]}]
    )  # fmt: skip
    assert one.value == Question("input 0", "who?", "me")
    assert ids.value == Question("input 1", (2, 3), (5, 3))
    assert "expected `question` and `context`, both texts" in str(bad.error)
    assert "-3 is no token id" in str(odd.error)


def test_answers_are_compared_as_squad_does() -> None:
    assert plain(" The  Cat's, a hat! ") == "cats hat"
    assert f1("the cat sat", "a cat") == pytest.approx(2 / 3)
    assert f1("", "") == 1.0
    assert f1("cat", "") == 0.0
    rows = rows_of(LONG, 22)
    metric = TASK.metric(())
    form = scores(rows, (0, 4, 5, 9.0))
    metric.add(form, rows, [Truth(("7", "6 7"), (1, 2))])
    metric.add(form, rows, [Truth()])
    metric.add(form, rows, [Truth(("6 9",), (1, 2))])
    figures = metric.figures()
    assert figures["count"] == 3
    assert figures["exact_match"] == pytest.approx(1 / 3)
    assert figures["f1"] == pytest.approx((1 + 0 + 0.5) / 3)
    with pytest.raises(DataError, match="no question to measure"):
        TASK.metric(()).figures()


def test_a_question_has_several_windows_in_one_batch() -> None:
    rows = [*rows_of(LONG, stride=4), *rows_of(LONG, stride=8)]
    form = scores(rows, (1, 4, 4, 9.0), (4, 5, 5, 9.0))
    metric = TASK.metric(())
    metric.add(form, rows, [Truth(("10",), (5, 5)), Truth(("5",), (6, 6))])
    assert metric.figures()["count"] == 2


def test_training_takes_the_window_with_the_most_around_the_answer() -> None:
    rows = tuple(rows_of(LONG, stride=4))
    row, start, end = chosen(rows, (9, 10))
    assert row.geometry.start == 4
    assert (start, end) == (3 + 5, 3 + 6)
    assert row.inputs["input_ids"][start] == LONG.context[9]
    assert chosen(rows, ()) == (rows[0], 0, 0)
    with pytest.raises(DataError, match=r"the answer has 18 tokens, and no window of \d+ has all"):
        chosen(rows, (0, 17))


def test_the_loss_is_that_of_the_window_a_question_is_trained_on() -> None:
    rows = rows_of(LONG, stride=4)
    form = scores(rows, (1, 4, 4, 9.0))
    metric = TASK.metric(())
    metric.add(form, rows, [Truth(("10",), (5, 5))])
    row, start, end = chosen(tuple(rows), (5, 5))
    place = next(place for place, one in enumerate(rows) if one is row)
    own = len(row.inputs["input_ids"])
    wanted = 0.0
    for logits, right in ((form.starts, start), (form.ends, end)):
        shares = np.exp(logits[place, :own].astype(np.float64))
        wanted -= 0.5 * np.log(shares[right] / shares.sum())
    assert metric.figures()["loss"] == pytest.approx(wanted, rel=1e-9)
    metric.add(scores(rows), rows, [Truth(("0",), (0, 17))])  # which no window has
    assert metric.figures()["loss"] == pytest.approx(wanted, rel=1e-9)


def test_an_answers_place_may_stand_beside_it(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    vocab = example.write(tmp_path / "data").with_name("vocab.txt")
    word = next(word for word in vocab.read_text().split() if word.isalpha())
    context = f"{word} {word}"
    at = len(word) + 1
    file = vocab.with_name("asked.jsonl")
    row = {"question": word, "context": context, "answer": word, "answer_start": at}
    file.write_text(json.dumps(row) + "\n")
    table = vocab.with_name("asked.csv")
    table.write_text(f"\nquestion,context,answer,answer_start\n{word},{context},{word},{at}\n")
    for source in (file, table):
        assert read(source).train.targets[0].tokens == (1, 1)


def test_each_form_of_data_is_read(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    splits = read(example.write(tmp_path / "data"))
    assert (len(splits.train), len(splits.validation)) == (36, 4)
    (problem,) = splits.skipped.values()
    assert "the answer 'two' does not stand in the context" in problem
    context = "one cats and one dogs"
    answers = [{"text": "one", "answer_start": 13}, {"text": "cats", "answer_start": 4}]
    squad = tmp_path / "data" / "squad.json"
    asked = [{"id": "a", "question": "which?", "answers": answers},
             {"id": "b", "question": "which?", "answers": [], "is_impossible": True}]  # fmt: skip
    squad.write_text(json.dumps({"data": [{"paragraphs": [{"context": context, "qas": asked}]}]}))
    table = tmp_path / "data" / "a.csv"
    table.write_text(f"question,context,answer,split\nwhich?,{context},cats,train\n")
    lines = tmp_path / "data" / "b.jsonl"
    lines.write_text(json.dumps({"question": "which?", "context": context,
                                 "answers": {"text": ["one"], "answer_start": [13]}}))  # fmt: skip
    for file, truths in (
        (squad, [Truth(("one", "cats"), (4, 4)), Truth()]),
        (table, [Truth(("cats",), (1, 2))]),
        (lines, [Truth(("one",), (4, 4))]),
    ):
        splits = read(file, validation=0.0)
        assert splits.train.targets == truths
        assert list(read(file, validation=0.0).identity()) == list(splits.identity())
    answer = {"start": 1, "end": 2}
    asked = [{"question": [2, 3], "context": context, "answer": answer}
             for context in ([5, 6, 3], [5, 3])]  # fmt: skip
    lines.write_text("".join(json.dumps(row) + "\n" for row in asked))
    splits = read(lines)
    assert splits.train.targets == [Truth(("6",), (1, 1))]
    assert len(splits.skipped) == 1
    squad.write_text('{"paragraphs": 1}')
    with pytest.raises(DataError, match="expected SQuAD's list `data`, found None"):
        read(squad)
    assert task_to_learn(SHARED, NetworkSpec("bert", {"head": "pretraining"}), lines) is TASK


def test_the_loss_is_that_of_both_ends() -> None:
    from mindspore import Tensor

    from zoohub.tasks.question_answering.loss import SpanCrossEntropy

    logits = np.random.default_rng(0).standard_normal((2, 4, 2)).astype(np.float32)
    starts, ends = np.array([1, 0], np.int32), np.array([3, 0], np.int32)
    logp = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    wanted = -np.mean([logp[0, 1, 0], logp[1, 0, 0], logp[0, 3, 1], logp[1, 0, 1]])
    targets = (Tensor(starts), Tensor(ends))
    loss = SpanCrossEntropy()
    assert float(loss(Tensor(logits), *targets)) == pytest.approx(wanted, rel=1e-5)
    both = (Tensor(logits[..., 0]), Tensor(logits[..., 1]))
    assert float(loss(both, *targets)) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.slow
def test_a_pretrained_file_gives_its_encoder_and_the_head_is_new(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    import mindspore as ms
    import yaml

    from zoohub.networks.loading import build
    from zoohub.tasks.recipe import recipe_text
    from zoohub.training import finetune

    source = example.write(tmp_path / "data")
    network = example.NETWORK.replace("question-answering", "pretraining")
    net = build(NetworkSpec("bert", yaml.safe_load(network)["network"]["arguments"]))
    file = tmp_path / "pretrained.ckpt"
    ms.save_checkpoint(net, str(file))
    data = find_reader(TASK, source, "m").describe(source)
    recipe = TASK.default_recipe("bert_base", str(file), data, example.CONTRACT, 32)
    still = replace(recipe.optimizer, lr=1e-12, weight_decay=0.0)
    text = recipe_text(replace(recipe, epochs=1, batch_size=32, optimizer=still))
    kept = [line for line in text.splitlines() if not line.startswith(("network:", "input:"))]
    (tmp_path / "recipe.yaml").write_text("\n".join(kept) + network)
    run = finetune(tmp_path / "recipe.yaml", output=tmp_path / "run")
    name = "bert.bert_embedding_lookup.embedding_table"
    found = {p.name: p.asnumpy() for p in run.net.get_parameters()}
    np.testing.assert_allclose(found[name], net.parameters_dict()[name].asnumpy(), atol=1e-6)
    assert found["dense1.weight"].shape == (2, 32)
    assert zoohub.evaluate(run.path, source)["count"] == 40


@pytest.mark.slow
def test_it_goes_the_whole_road(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Trained, saved, loaded, predicted, measured, exported, and predicted from the file."""
    pytest.importorskip("tokenizers")
    pytest.importorskip("onnxruntime")
    source = example.write(tmp_path / "data")
    run = trained(TASK, source, tmp_path, example.NETWORK, contract=example.CONTRACT, lr=3e-3,
                  epochs=60, batch_size=8, keep="last")  # fmt: skip
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < 0.5 * lines[0]["loss"]
    assert run.metrics["exact_match"] == 1.0
    figures = zoohub.evaluate(run.path, source)
    assert (figures["count"], len(figures["skipped"])) == (40, 1)
    assert figures["f1"] > 0.9
    assert main(["eval", str(run.path), "--data", str(source)]) == 3  # one is left out
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert printed[1] == ["questions", "40"]

    vocab = ("--vocab", str(source.with_name("vocab.txt")), "--json")
    words = ("--text", "dogs and Three cat", "--question", "which cat?")
    assert main(["predict", str(run.path), *words, *vocab]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    (found,) = row["predictions"]
    assert (found["text"], found["start"], found["end"]) == ("Three", 9, 14)
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text('{"question": "which cat?", "context": "dogs and Three cat"}\n')
    assert main(["predict", str(run.path), str(pairs), *vocab]) == 0
    assert json.loads(capsys.readouterr().out)[0]["predictions"] == [found]
    file = zoohub.export(str(run.path), tmp_path / "a.onnx", check=True, length=16)
    question = {"question": [2, 11, 9, 1, 3], "context": [10, 13, 12, 7, 9, 3]}
    (again,) = zoohub.predict(file, question)
    assert again.engine == "onnxruntime"
    assert (again.predictions[0].start, again.predictions[0].end) == (3, 4)
