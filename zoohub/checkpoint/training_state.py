"""What training leaves in a file beside the weights: told by structure, not by a list of programs.

moments.conv1.weight   repeats a weight's name behind the name of an optimiser's slot
anything.conv1.weight  and so do its fellows, for every weight that training changes
global_step, epoch     a single number that belongs to no layer
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from zoohub.checkpoint.dtypes import INTEGERS
from zoohub.checkpoint.weights import TensorInfo

# Slots that may hold a part of the weights only (the head of a frozen network). What is not here
# is known by repeating all of them.
_SLOT = (
    r"(?:moments?\w*|momentum\w*|velocity|accum\w*|accu_grads?\w*|grad_acc\w*|adam_[mv]|lamb_[mv]"
    r"|(?:max_)?exp_avg\w*|exp_inf|mean_(?:square|grad)\w*|step_size|stat|prev|linear|ax_?|mu|eta)"
)
_HOLDER = r"(?:optimizer|optim|opt|train\w*|loss_scale\w*|scaler|scale_\w+)"
_REPEAT = re.compile(rf"(?:\w+[.])*{_SLOT}[._]?")
# Known whatever else the file holds; what is more doubtful needs its weight beside it.
_ALONE = re.compile(
    rf"(?:{_HOLDER}\.)*(?:moments?\w*|adam_[mv]|lamb_[mv]|accum)\..+"
    r"|(?:.*\.)?(?:global_step|(?:learning_rate|weight_decay|lr)(?:_group_\d+)?|epoch_num|step_num"
    r"|(?:cur_)?(?:epoch|step)(?:_num)?|state_step|step_t|loss_scale|scale_sense|updates"
    r"|current_iterator_step|last_overflow_iterator_step|beta[12]_power)"
)
_HELD = re.compile(rf"(?:.*\.)?{_HOLDER}\.[^.]+")
_COUNTS = re.compile(
    r"step|epoch|iter|scale|rate|lr|power|decay|beta|momentum|loss|acc|best|count|num|update|fake"
)
# Training does not change these by gradients, so no optimiser has a slot for them.
_STATISTICS = re.compile(
    r"(?:.*\.)?(?:moving_(?:mean|variance)|running_(?:mean|var)|num_batches_\w+)"
)


def is_training_state(name: str) -> bool:
    """Whether a name alone says that it is an optimiser's or a training loop's.

    >>> is_training_state("moments.conv1.weight"), is_training_state("conv1.weight")
    (True, False)
    """
    return _ALONE.fullmatch(name) is not None


def is_slot(prefix: str) -> bool:
    """Whether a prefix of names is that of an optimiser's slot.

    >>> is_slot("moments."), is_slot("optimizer.exp_avg_sq_row_"), is_slot("network.")
    (True, True, False)
    """
    return _REPEAT.fullmatch(prefix) is not None


def training_state(
    leftover: Collection[str],
    weights: Collection[str],
    names: Collection[str],
    table: Mapping[str, TensorInfo] | None = None,
    prefix: str = "",
) -> frozenset[str]:
    """Those of the names without a place in the network that are training's.

    `weights` are the file's names that have a place, `names` all names a slot may repeat, and
    `prefix` what stands before the weights' names. `table` gives sizes; without it, no number is
    known by being one.
    """
    bare = {name.removeprefix(prefix) for name in weights}
    trained = {name for name in bare if not _STATISTICS.fullmatch(name)}
    known = {*names, *bare, *(name.removeprefix(prefix) for name in names)}
    groups: dict[tuple[str, str], dict[str, str]] = {}
    found = set()
    for name in leftover:
        if is_training_state(name) or _is_number(name.removeprefix(prefix), name, table):
            found.add(name)
            continue
        for before, repeated, behind in _repeats(name, known):
            group = groups.setdefault((before, behind), {})
            group[repeated.removeprefix(prefix)] = name
    for (before, behind), group in groups.items():
        slot = is_slot(before) or (not before and is_slot(behind.lstrip("._")))
        if slot or (trained and trained <= group.keys()):
            found.update(group.values())
    return frozenset(found)


def _repeats(name: str, known: Collection[str]) -> Iterable[tuple[str, str, str]]:
    """The known names that this one ends or begins with, and what is before and behind them."""
    places = [place for place, character in enumerate(name) if character in "._"]
    for place in places:
        if name[place + 1 :] in known:
            yield name[: place + 1], name[place + 1 :], ""
        if name[:place] in known:
            yield "", name[:place], name[place:]


def _is_number(bare: str, name: str, table: Mapping[str, TensorInfo] | None) -> bool:
    """Whether it is one number that belongs to no layer: its name has no dot, or a holder's.

    A layer's own parameter can be a list of one; then the name must say that it counts something.
    """
    info = None if table is None else table.get(name)
    if info is None or info.shape not in ((), (1,)):
        return False
    loose = "." not in bare or _HELD.fullmatch(bare) is not None
    return loose and (info.shape == () or info.dtype in INTEGERS or bool(_COUNTS.search(bare)))
