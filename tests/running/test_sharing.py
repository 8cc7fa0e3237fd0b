"""Runners shared by threads, and used in children that were forked."""

import multiprocessing
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from zoohub.running import CellRunner, OnnxRunner


@pytest.fixture(scope="module")
def net():
    from mindspore import nn

    layers = [nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 4, 3)]
    return nn.SequentialCell(layers)


@pytest.mark.parametrize("mode", ["pynative", pytest.param("graph", marks=pytest.mark.slow)])
def test_threads_that_share_a_network_get_what_one_thread_gets(net, mode):
    rng = np.random.default_rng(0)
    sizes = ((8, 8), (8, 12), (12, 8), (16, 16))
    pictures = [rng.standard_normal((1, 3, *size)).astype(np.float32) for size in sizes] * 6
    runner = CellRunner(net, mode)

    def run(picture):
        return runner.run({"image": picture})["output"]

    alone = [run(picture) for picture in pictures[:4]] * 6
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(run, pictures))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def program(text: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


FORK = """
    import os
    import numpy as np
    from mindspore import nn
    from zoohub.errors import ZoohubError
    from zoohub.running import CellRunner

    runner = CellRunner(nn.ReLU())
    image = np.full((1, 3, 4, 4), -1, np.float32)
    {before}
    child = os.fork()
    if child == 0:
        try:
            print(runner.run({{"image": image}})["output"].max(), flush=True)
        except ZoohubError as error:
            print(error, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="needs fork")
def test_a_child_forked_after_a_prediction_says_so_instead_of_waiting_for_ever():
    said = program(FORK.format(before='runner.run({"image": image})'))
    assert "before this one was forked from it, and would hang here" in said
    assert "spawn" in said


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="needs fork")
def test_a_child_forked_before_the_first_prediction_predicts():
    assert program(FORK.format(before="")).strip() == "0.0"


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
def test_an_onnx_file_that_ran_in_the_parent_runs_in_a_forked_child(tmp_path):
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    names = ("images", "scale")
    graph = helper.make_graph(
        [helper.make_node("Mul", list(names), ["product"])],
        "two",
        [helper.make_tensor_value_info(name, kind, ["batch", 4]) for name in names],
        [helper.make_tensor_value_info("product", kind, ["batch", 4])],
    )
    path = tmp_path / "two.onnx"
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path
    )
    runner = OnnxRunner(path)
    assert runner.inputs == names
    rows = {name: np.full((3, 4), 2, np.float32) for name in names}
    assert (runner.run(rows)["product"] == 4).all()
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send(runner.run(rows)["product"].sum()))
    child.start()
    assert receiver.poll(60)
    assert receiver.recv() == 48
    child.join(60)
    assert child.exitcode == 0
