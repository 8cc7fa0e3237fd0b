"""What `zoohub info` says of a model, held to those who know."""

from __future__ import annotations

import pytest

from zoohub.cli.contracts import boxes_line, input_line, outlines_line
from zoohub.cli.main import main
from zoohub.cli.next_commands import can_learn
from zoohub.errors import ZoohubError
from zoohub.manifest.entry import BoxContract, InputContract, RegionContract, TextContract
from zoohub.manifest.opening import open_index
from zoohub.settings import load_settings
from zoohub.tasks.finding import task_for

for library in ("cv2", "pyclipper", "shapely"):  # without which text detection trains nothing
    pytest.importorskip(library)


def test_what_info_says_of_training_is_what_the_tasks_say() -> None:
    index = open_index(load_settings())
    told = []
    for entry in map(index.entry, index.models()):
        for checkpoint in entry.checkpoints:
            spec, contract = entry.network_of(checkpoint), entry.input_of(checkpoint)
            if spec is None or contract is None or contract.text is not None:
                continue
            try:
                task = task_for(entry.task, spec)
                task.check_network(task.network_for(spec), contract)
                learns = bool(task.readers)
            except ZoohubError:
                learns = False
            assert can_learn(entry.task, spec) is learns, checkpoint.reference
            told.append(learns)
    assert {True, False} == set(told)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("textcnn@languages", "zoohub finetune textcnn@languages --data DATA"),
        ("transformer", "zoohub finetune transformer --data DATA --set data.vocab=FILE"),
        ("t5_small", None),  # it answers, which is not trained
    ],
)
def test_what_comes_next_for_a_network_of_texts(
    name: str, command: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", name]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert any(line.startswith(f"zoohub predict {name}") for line in lines)
    assert [line for line in lines if line.startswith("zoohub finetune")] == [
        line for line in [command] if line
    ]


def test_how_boxes_are_chosen_is_said_in_words() -> None:
    contract = BoxContract(
        threshold=0.1, eval_threshold=0.1, multi_label=True, iou=0.6, inclusive="picture",
        most_of_class=100, suppression="soft",
    )  # fmt: skip
    assert boxes_line(contract) == (
        "scores above 0.1, each class of a box, the weaker is made weaker (soft), overlaps up to "
        "0.6, whole pixels of the picture, at most 100 of a class"
    )
    measured = BoxContract(threshold=0.25, eval_threshold=0.05, multi_label=False, most=300)
    assert boxes_line(measured) == (
        "scores above 0.25, to be measured above 0.05, the best class of a box, at most 300 in all"
    )
    assert boxes_line(BoxContract()) is boxes_line(None) is None


def test_how_outlines_are_made_and_texts_are_cut_is_said_in_words() -> None:
    assert outlines_line(RegionContract("quad", 0.3, 0.7, 1.5)) == (
        "quadrilaterals, of pixels above 0.3, scores of at least 0.7, moved outwards by 1.5 × area "
        "/ perimeter"
    )
    text = TextContract(max_length=32, vocabulary="embedded:words.json")
    assert input_line(InputContract(text=text)) == (
        "token ids, at most 32 in a sentence, its vocabulary comes with zoohub"
    )
    assert input_line(InputContract()) is None
