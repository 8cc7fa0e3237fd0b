"""Running networks: cells, MINDIR files and ONNX files."""

from pathlib import Path

import numpy as np
import pytest

from zoohub.errors import CheckpointCorrupt, DataError, ZoohubError
from zoohub.running import CellRunner, MindIRRunner, OnnxRunner, open_runner

INPUTS = np.random.default_rng(0).standard_normal((5, 3, 8, 8)).astype(np.float32)


def run(runner, rows):
    """The outputs of a network of one input, in order."""
    (name,) = runner.inputs
    return tuple(runner.run({name: rows}).values())


@pytest.fixture(scope="module")
def net():
    """A small network with batch norm, dropout and nested outputs, left in training mode."""
    mindspore = pytest.importorskip("mindspore")
    from mindspore import nn

    class Small(nn.Cell):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)
            self.norm = nn.BatchNorm2d(4)
            self.drop = nn.Dropout(p=0.5)
            self.dense = nn.Dense(4 * 64, 2)

        def construct(self, x):
            y = self.drop(self.norm(self.conv(x)))
            return self.dense(y.reshape(-1, 256)), (y, y + 1)

    mindspore.set_seed(0)
    return Small().set_train(True)


@pytest.fixture(scope="module")
def mindir(net, tmp_path_factory) -> dict[str, Path]:
    import mindspore

    folder = tmp_path_factory.mktemp("mindir")
    net.set_train(False)
    shapes = {"fixed": [2, 3, 8, 8], "free": [None, 3, 8, 8]}
    for name, shape in shapes.items():
        example = (
            mindspore.Tensor(shape=shape, dtype=mindspore.float32)
            if None in shape
            else mindspore.Tensor(np.zeros(shape, np.float32))
        )
        mindspore.export(net, example, file_name=str(folder / name), file_format="MINDIR")
    return {name: folder / f"{name}.mindir" for name in shapes}


@pytest.mark.parametrize("mode", [None, "pynative", "graph"])
def test_a_cell_runs_in_evaluation_mode_and_its_outputs_are_flattened(net, mode):
    import mindspore

    before = mindspore.get_context("mode")
    net.set_train(True)
    runner = CellRunner(net, mode)
    first = run(runner, INPUTS)
    again = run(runner, INPUTS)  # dropout would differ
    assert [output.shape for output in first] == [(5, 2), (5, 4, 8, 8), (5, 4, 8, 8)]
    assert all(output.dtype == np.float32 for output in first)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert np.array_equal(first[1] + 1, first[2])
    assert mindspore.get_context("mode") == before


def test_graph_mode_fills_a_short_batch_instead_of_compiling_again(net):
    runner = CellRunner(net, "graph")
    whole = run(runner, INPUTS)
    for length in (3, 1):
        part = run(runner, INPUTS[:length])
        for a, b in zip(part, whole, strict=True):
            assert a.shape == (length, *b.shape[1:])
            assert np.allclose(a, b[:length], atol=1e-6)


@pytest.mark.parametrize(("threads", "waits"), [("1", True), ("2", True), ("3", False)])
def test_with_few_threads_operators_are_waited_for_while_it_runs(threads, waits, monkeypatch):
    import mindspore
    from mindspore import nn

    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    seen = []

    class Watching(nn.Cell):
        def construct(self, x):
            seen.append(mindspore.get_context("pynative_synchronize"))
            if len(seen) == 2:
                raise ValueError("it fails")
            return x + 1

    runner = CellRunner(Watching(), "pynative")
    assert np.array_equal(run(runner, INPUTS)[0], INPUTS + 1)
    with pytest.raises(ValueError, match="it fails"):
        run(runner, INPUTS)
    assert seen == [waits, waits]
    assert not mindspore.get_context("pynative_synchronize")


def test_half_precision_comes_back_as_float32(net):
    import mindspore
    from mindspore import nn

    class Cast(nn.Cell):
        def construct(self, x):
            return x.astype(mindspore.float16), x.astype(mindspore.bfloat16)

    half, brain = run(CellRunner(Cast(), "pynative"), INPUTS)
    assert half.dtype == brain.dtype == np.float32
    assert np.allclose(half, INPUTS, rtol=1e-3, atol=1e-4)
    assert np.allclose(brain, INPUTS, rtol=1e-2, atol=1e-2)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "batch"), [("fixed", 2), ("free", None)])
def test_a_mindir_file_takes_batches_of_every_length(net, mindir, kind, batch):
    expected = run(CellRunner(net, "pynative"), INPUTS)
    runner = MindIRRunner(mindir[kind])
    assert runner.batch == batch
    for length in (1, 2, 5):
        outputs = run(runner, INPUTS[:length])
        assert len(outputs) == 3
        for a, b in zip(outputs, expected, strict=True):
            assert np.allclose(a, b[:length], atol=1e-5)


def test_a_file_that_is_no_network_is_an_error(tmp_path):
    pytest.importorskip("mindspore")
    bad = tmp_path / "bad.mindir"
    bad.write_bytes(b"hello world")
    with pytest.raises(CheckpointCorrupt, match=r"bad\.mindir"):
        open_runner(bad)
    with pytest.raises(DataError, match="no such file"):
        open_runner(tmp_path / "absent.mindir")
    with pytest.raises(DataError, match=r"expected a \.mindir or \.onnx"):
        open_runner(tmp_path / "net.ckpt")


def test_without_onnxruntime_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(ZoohubError, match=r"pip install 'zoohub\[onnx\]'"):
        OnnxRunner(tmp_path / "net.onnx")


@pytest.mark.parametrize("batch", [2, None])
def test_an_onnx_file_takes_batches_of_every_length(tmp_path, batch):
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    shape = [batch or "batch", 3, 8, 8]
    graph = helper.make_graph(
        [
            helper.make_node("Relu", ["x"], ["y"]),
            helper.make_node("ReduceMean", ["x"], ["z"], axes=[2, 3], keepdims=0),
        ],
        "small",
        [helper.make_tensor_value_info("x", kind, shape)],
        [
            helper.make_tensor_value_info("y", kind, shape),
            helper.make_tensor_value_info("z", kind, shape[:2]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "small.onnx"
    onnx.save(model, str(path))
    runner = open_runner(path)
    assert runner.batch == batch
    for length in (1, 2, 5):
        y, z = run(runner, INPUTS[:length])
        assert np.array_equal(y, np.maximum(INPUTS[:length], 0))
        assert np.allclose(z, INPUTS[:length].mean(axis=(2, 3)), atol=1e-6)


def test_a_damaged_onnx_file_is_an_error(tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "bad.onnx").write_bytes(b"hello world")
    with pytest.raises(CheckpointCorrupt, match=r"bad\.onnx"):
        open_runner(tmp_path / "bad.onnx")


def test_inputs_and_outputs_have_names():
    pytest.importorskip("mindspore")
    from mindspore import nn

    class Two(nn.Cell):
        def construct(self, tokens, mask):
            return {"sum": tokens + mask, "parts": (tokens, mask)}

    rows = {"mask": np.ones((2, 3), np.int32), "tokens": np.zeros((2, 3), np.int32)}
    runner = CellRunner(Two(), "pynative", inputs=("tokens", "mask"), outputs=("sum", "a", "b"))
    found = runner.run(rows)
    assert list(found) == ["sum", "a", "b"]
    assert found["a"].dtype == np.int32
    assert found["a"].sum() == 0
    unnamed = CellRunner(Two(), "pynative", inputs=("tokens", "mask")).run(rows)
    assert list(unnamed) == ["output_0", "output_1", "output_2"]
    with pytest.raises(DataError, match="takes tokens, mask; got tokens"):
        runner.run({"tokens": rows["tokens"]})
    with pytest.raises(DataError, match=r"equally many; got mask \(3, 3\), tokens \(2, 3\)"):
        runner.run({"mask": np.ones((3, 3), np.int32), "tokens": rows["tokens"]})
