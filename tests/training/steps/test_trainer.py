"""Steps on a network: optimisers, accumulation, averages, dropout and memory."""

from __future__ import annotations

from dataclasses import replace

import mindspore as ms
import numpy as np
import pytest
from mindspore import Parameter, Tensor, nn
from numpy.typing import NDArray

from zoohub.networks.lenet.network import lenet
from zoohub.tasks.classification.loss import SoftCrossEntropy, soft_targets
from zoohub.tasks.recipe import Optimizer, Recipe
from zoohub.training import parse_recipe
from zoohub.training.batches import Plan
from zoohub.training.memory import is_out_of_memory, run_session
from zoohub.training.reports import Hooks
from zoohub.training.session import open_session
from zoohub.training.steps.dropout import Dropouts
from zoohub.training.steps.graph import average_decay, clip_norm
from zoohub.training.steps.optimizers import build_optimizer
from zoohub.training.steps.trainer import Learning, Trainer

Arrays = dict[str, NDArray[np.float32]]
RECIPE = parse_recipe(
    """\
model: lenet5
network: {builder: lenet}
data: {kind: digits, part: 0.1}
input: {size: [32, 32], colour: L, resize: stretch}
optimizer: {name: sgd, lr: 0.1}
epochs: 1
batch_size: 16
"""
)


@pytest.fixture(autouse=True)
def _pynative() -> None:
    ms.set_context(mode=ms.PYNATIVE_MODE)


def batch(count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    random = np.random.default_rng(0)
    images = random.standard_normal((count, 1, 32, 32)).astype(np.float32)
    return images, soft_targets(random.integers(0, 10, count), 10, 0.1)


def trainer(recipe: Recipe, accumulate: int = 1) -> Trainer:
    ms.set_seed(0)
    net = lenet()
    parameters = net.trainable_params()
    ones = [1.0] * len(parameters)
    learning = Learning(net, SoftCrossEntropy(), net, parameters, ones)
    return Trainer(learning, recipe, Plan(16, 16, micro=16 // accumulate))


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_an_optimiser_takes_the_steps_of_its_formula(name: str) -> None:
    random = np.random.default_rng(1)
    start = random.standard_normal((3, 4)).astype(np.float32)
    gradients = [random.standard_normal((3, 4)).astype(np.float32) for _ in range(4)]
    settings = Optimizer(name=name, weight_decay=0.1)  # type: ignore[arg-type]
    weight = Parameter(Tensor(start.copy()), name="w")
    optimizer = build_optimizer(settings, [weight], [0.5])
    for gradient in gradients:
        optimizer((Tensor(gradient),), Tensor(0.2, ms.float32))
    expected = (sgd if name == "sgd" else adamw)(start.astype(np.float64), gradients, 0.1, 0.1)
    np.testing.assert_allclose(weight.asnumpy(), expected, rtol=2e-5, atol=2e-6)


def sgd(w: NDArray, gradients: list[NDArray], lr: float, decay: float) -> NDArray:
    velocity = np.zeros_like(w)
    for gradient in gradients:
        velocity = 0.9 * velocity + gradient + decay * w
        w = w - lr * velocity
    return w


def adamw(w: NDArray, gradients: list[NDArray], lr: float, decay: float) -> NDArray:
    first, second = np.zeros_like(w), np.zeros_like(w)
    for t, gradient in enumerate(gradients, 1):
        w = w * (1 - lr * decay)
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient.astype(np.float64) ** 2
        rate = lr * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w = w - rate * first / (np.sqrt(second) + 1e-8)
    return w


def test_decay_is_for_matrices_and_kernels_only() -> None:
    vector = Parameter(Tensor(np.ones(3, np.float32)), name="bias")
    optimizer = build_optimizer(Optimizer(weight_decay=0.5), [vector], [1.0])
    optimizer((Tensor(np.zeros(3, np.float32)),), Tensor(1.0, ms.float32))
    assert vector.asnumpy().tolist() == [1, 1, 1]


def test_gradients_longer_than_the_bound_are_shortened_together() -> None:
    gradients = (Tensor([3.0, 0.0], ms.float32), Tensor([4.0], ms.float32))
    clipped = clip_norm(gradients, 1.0)
    assert np.concatenate([g.asnumpy() for g in clipped]) == pytest.approx([0.6, 0.0, 0.8])
    assert clip_norm(gradients, 6.0)[1].asnumpy() == pytest.approx([4.0])


@pytest.mark.slow
def test_gradients_of_a_large_network_are_clipped_in_graph_mode() -> None:
    """A loop over them would call deeper than the compiler goes."""

    class Clip(nn.Cell):
        def construct(self, *gradients: Tensor) -> tuple[Tensor, ...]:
            return clip_norm(gradients, 1.0)

    ms.set_context(mode=ms.GRAPH_MODE)
    clipped = Clip()(*[Tensor([2.0])] * 600)
    assert clipped[599].asnumpy().item() == pytest.approx(600**-0.5)


def test_accumulated_micro_batches_make_the_step_of_the_whole_batch() -> None:
    images, targets = batch(16)
    whole, parts = trainer(RECIPE), trainer(RECIPE, accumulate=4)
    for _ in range(3):
        loss, _ = whole.step([((images,), (targets,))], 0.1)
        split = [((images[i : i + 4],), (targets[i : i + 4],)) for i in range(0, 16, 4)]
        summed, logits = parts.step(split, 0.1)
        assert summed == pytest.approx(loss, abs=1e-5)
        assert [part.shape for part in logits] == [(4, 10)] * 4
    expected, found = whole.weights(), parts.weights()
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-5)


def test_the_average_follows_the_weights_and_is_what_is_kept() -> None:
    averaged = trainer(replace(RECIPE, ema=0.9))
    images, targets = batch(8)
    shadow = {p.name: p.asnumpy().copy() for p in averaged.parameters}
    for step in range(3):
        averaged.step([((images,), (targets,))], 0.1)
        decay = average_decay(0.9, step)
        for p in averaged.parameters:
            shadow[p.name] = decay * shadow[p.name] + (1 - decay) * p.asnumpy()
    kept = averaged.weights()
    for name, value in shadow.items():
        np.testing.assert_allclose(kept[name], value, rtol=0, atol=1e-6)


def test_a_restored_trainer_takes_the_same_next_step() -> None:
    recipe = replace(RECIPE, ema=0.9, optimizer=Optimizer(name="adamw"))
    images, targets = batch(8)
    one, two = trainer(recipe), trainer(recipe)
    one.step([((images,), (targets,))], 0.01)
    two.restore(one.state())
    for each in (one, two):
        each.step([((images,), (targets,))], 0.01)
    expected, found = one.state(), two.state()
    assert expected.keys() == found.keys()
    assert all((expected[name] == found[name]).all() for name in expected)
    assert "power1" in expected


class WithDropout(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.SequentialCell([nn.Dropout(p=0.25), nn.Dense(64, 64)])
        self.last = nn.Dropout(p=0.5)

    def construct(self, x: Tensor) -> Tensor:
        return self.last(self.body(x))


def test_dropout_follows_the_step_drops_its_share_and_goes_back() -> None:
    net = WithDropout()
    names = [p.name for p in net.get_parameters()]
    before = [net.body[0], net.last]
    dropouts = Dropouts(net)
    drop = net.body[0]
    drop.set_train(True)
    ones = Tensor(np.ones((500, 64), np.float32))
    masks = []
    for step in (1, 2, 1):
        dropouts.set_step(seed=0, step=step, part=0)
        masks.append(drop(ones).asnumpy())
    assert (masks[0] == masks[2]).all()
    assert (masks[0] != masks[1]).any()
    zero = masks[0] == 0
    assert zero.mean() == pytest.approx(0.25, abs=0.01)
    assert masks[0].max() == pytest.approx(4 / 3)
    # Independent along both axes, and from step to step, within five standard errors.
    for other in (masks[1] == 0, np.roll(zero, 1, 0), np.roll(zero, 1, 1)):
        assert abs(np.corrcoef(zero.ravel(), other.ravel())[0, 1]) < 5 / np.sqrt(zero.size)
    dropouts.restore()
    assert [net.body[0], net.last] == before
    assert [p.name for p in net.get_parameters()] == names


@pytest.mark.slow
def test_a_batch_that_does_not_fit_is_halved_until_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("sklearn")
    tried: list[int] = []
    step = Trainer.step

    def small_memory(self: Trainer, batches: list, lr: float) -> object:
        size = len(batches[0][0][0])
        tried.append(size)
        if size > 4:
            raise RuntimeError("Device(id:0) memory isn't enough and alloc failed")
        return step(self, batches, lr)

    monkeypatch.setattr(Trainer, "step", small_memory)
    said: list[str] = []
    session = open_session(replace(RECIPE, mode="pynative"))
    _, halved, progress = run_session(session, Hooks(), say=said.append)
    assert tried[:3] == [16, 8, 4]
    assert set(tried[2:]) == {4}
    assert len(said) == 2
    assert "the batch stays 16" in said[0]
    monkeypatch.setattr(Trainer, "step", step)
    _, whole, expected = run_session(session, Hooks())
    assert progress.history[0]["loss"] == pytest.approx(expected.history[0]["loss"], abs=1e-4)
    for name, value in whole.weights().items():
        np.testing.assert_allclose(halved.weights()[name], value, rtol=0, atol=1e-5)


def test_only_a_lack_of_memory_is_taken_for_one() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("Allocate memory failed"))
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
