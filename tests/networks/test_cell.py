"""zoohub's quick cells and parameters beside MindSpore's own."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from functools import partial
from typing import Any, ClassVar

import mindspore as ms
import numpy as np
from mindspore import Parameter, ParameterTuple, Tensor, nn, ops
from mindspore.common.initializer import initializer
from mindspore.nn.cell import cells_compile_cache

from zoohub.networks.construction import construct_empty
from zoohub.networks.layers.cell import Cell, another
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.parameter import new_parameter


class Quick(Cell):
    """A cell with something in it."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = BatchNorm2d(3)
        self.scale = Parameter(initializer("ones", (3, 1, 1)))

    def construct(self, x: Tensor) -> Tensor:
        return self.norm(x) * self.scale


class Plain(nn.Cell):
    """The same on MindSpore's class, with its norm."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.scale = Parameter(initializer("ones", (3, 1, 1)))

    def construct(self, x: Tensor) -> Tensor:
        return self.norm(x) * self.scale


class Kept(Quick):
    """A user's class that says how it is kept and given up."""

    given_up: ClassVar[list[str]] = []

    def __init__(self) -> None:
        super().__init__()
        self.note = "mine"

    def __getstate__(self) -> Any:
        return {"kept": self.note}

    def __setstate__(self, state: Any) -> None:
        self.__init__()  # type: ignore[misc]
        self.note = state["kept"]

    def __del__(self) -> None:
        self.given_up.append(self.note)
        super().__del__()


class Backward(Cell):
    """A cell with a backward pass of its own."""

    def construct(self, x: Tensor) -> Tensor:
        return x

    def bprop(self, x: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor]:
        return (2 * dout,)


def test_a_cell_starts_with_the_attributes_of_mindspores() -> None:
    for _ in range(2):  # the first of its class, and one that follows
        quick, plain = vars(Cell()), vars(nn.Cell())
        assert list(quick) == list(plain)
        created = quick.pop("_create_time"), plain.pop("_create_time")
        assert abs(created[0] - created[1]) < 60e9  # nanoseconds
        assert quick == plain
        assert [type(value) for value in quick.values()] == [type(v) for v in plain.values()]


def test_cells_share_nothing_that_either_writes_to() -> None:
    one, other = vars(Cell()), vars(Cell())
    for name, value in one.items():
        if isinstance(value, dict | list | set):
            assert value is not other[name], name


def test_mindspore_counts_a_cell_and_knows_its_compiled_graphs() -> None:
    before = nn.Cell.total_instance_count
    cell = Cell()
    assert nn.Cell.total_instance_count == before + 1
    assert cells_compile_cache[id(cell)] is cell.compile_cache
    number = id(cell)
    del cell
    assert nn.Cell.total_instance_count == before
    assert number not in cells_compile_cache


def test_a_backward_pass_of_ones_own_is_found() -> None:
    for _ in range(2):
        assert Backward().has_bprop
        assert not Cell().has_bprop


def test_a_users_class_may_say_how_it_is_kept_and_given_up() -> None:
    """Its methods are not asked of a cell that it has not made."""
    for _ in range(2):
        cell = Kept()
        assert cell.norm.gamma.name == "norm.gamma"
        Kept.given_up.clear()
        del cell
        assert Kept.given_up == ["mine"]


def test_a_class_that_is_given_up_is_not_kept() -> None:
    kind = type("Passing", (Cell,), {})
    kind()
    seen = weakref.ref(kind)
    del kind
    gc.collect()
    assert seen() is None


def test_another_activation_is_as_its_class_makes_it() -> None:
    x = Tensor(np.array([-4.0, -1.0, 0.5, 9.0], np.float32))
    half = partial(nn.LeakyReLU, 0.5)
    for make in (nn.ReLU, nn.ReLU6, nn.Sigmoid, nn.SiLU, nn.HSwish, half):
        one, other, plain = another(make), another(make), make()
        assert type(one) is type(plain)
        assert repr(one) == repr(plain)
        assert vars(one).keys() == vars(plain).keys()
        assert one._cells is not other._cells
        np.testing.assert_array_equal(other(x).asnumpy(), plain(x).asnumpy())


def test_what_learns_is_made_anew() -> None:
    one, other = another(nn.PReLU), another(nn.PReLU)
    assert one.w is not other.w
    one, other = another(Quick), another(Quick)
    assert one.norm is not other.norm


def test_parameters_cells_and_modes_are_found_as_in_mindspores() -> None:
    quick, plain = Quick(), Plain()
    assert repr(quick).splitlines()[0] == "Quick("
    assert list(quick.parameters_dict()) == list(plain.parameters_dict())
    assert [p.name for p in quick.trainable_params()] == [p.name for p in plain.trainable_params()]
    assert [name for name, _ in quick.cells_and_names()] == ["", "norm"]
    quick.set_train()
    assert (quick.training, quick.norm.training) == (True, True)
    quick.norm = BatchNorm2d(3)  # assignment is MindSpore's own
    assert quick.norm.gamma.name == "norm.gamma"


def test_a_copy_keeps_to_itself_and_a_pickle_comes_back() -> None:
    net = Quick()
    twin = copy.deepcopy(net)
    twin.scale.set_data(ops.zeros_like(twin.scale))
    twin.insert_child_to_cell("more", nn.ReLU())
    assert net.scale.asnumpy().all()
    assert "more" not in net._cells
    again = pickle.loads(pickle.dumps(Cell()))  # MindSpore's operators cannot be pickled
    assert vars(again).keys() == vars(nn.Cell()).keys()


def test_parameters_without_values_start_alike_and_apart() -> None:
    """They share what says how they start; drawing one leaves it to the others."""
    norms = [construct_empty(lambda: BatchNorm2d(3)) for _ in range(3)]
    assert all(net.gamma.has_init and net.moving_mean.has_init for net in norms)
    for net in (*norms[:2], copy.deepcopy(norms[2])):
        net.init_parameters_data()
        for parameter in net.get_parameters():
            assert not parameter.has_init
            wanted = parameter.name.endswith(("gamma", "variance"))
            np.testing.assert_array_equal(parameter.asnumpy(), np.full(3, wanted, np.float32))
    norms[0].gamma.set_data(Tensor(np.zeros(3, np.float32)))
    assert norms[1].gamma.asnumpy().all()
    moments = ParameterTuple(norms[2].get_parameters()).clone("moments", init="same")
    assert [moment.asnumpy().tolist() for moment in moments] == [
        p.clone().asnumpy().tolist() for p in norms[2].get_parameters()
    ]
    assert norms[2].gamma.clone(init="zeros").asnumpy().tolist() == [0, 0, 0]
    again = pickle.loads(pickle.dumps(norms[2].gamma))
    np.testing.assert_array_equal(again.asnumpy(), np.ones(3, np.float32))


def test_a_parameter_made_in_the_ordinary_way_has_its_value_and_may_learn_or_not() -> None:
    weight = new_parameter("ones", (2, 3), "weight")
    fixed = new_parameter("zeros", (4,), "fixed", learns=False)
    assert (weight.name, weight.shape, weight.dtype) == ("weight", (2, 3), ms.float32)
    assert (weight.requires_grad, fixed.requires_grad) == (True, False)
    np.testing.assert_array_equal(weight.asnumpy(), np.ones((2, 3), np.float32))
    np.testing.assert_array_equal(fixed.asnumpy(), np.zeros(4, np.float32))
