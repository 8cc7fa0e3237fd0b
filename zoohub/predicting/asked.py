"""Another task than its own, asked of a network: what that changes of it."""

from __future__ import annotations

from dataclasses import replace

from zoohub.errors import UsageError
from zoohub.manifest.entry import NetworkSpec
from zoohub.models.meaning import meant
from zoohub.models.request import LoadRequest
from zoohub.settings import Settings
from zoohub.tasks.contract import AnyTask
from zoohub.tasks.finding import task_called, task_for


def network_asked(
    task: str | None, model: str, filed: str, network: NetworkSpec | None
) -> NetworkSpec | None:
    """The network of `model`, which the index files under `filed`, as the task called `task` takes
    it; None: as it is.

    Raises:
        UsageError: the network is of another kind of input, or for another task.
        DataError: zoohub has no such task, or it takes a head that the network's file lacks.
    """
    if task is None:
        return network
    asked = task_called(task)
    if asked.headless and network is not None:
        own = task_for(filed, network)
        if own.kind != asked.kind:
            raise UsageError(
                f"{model} is for {own.name}, not for {asked.name}, which takes {asked.kind}s, not "
                f"{own.kind}s"
            )
        changed = asked.network_for(network)
        asked.check_network(changed)
        return changed
    check_own(task, model, task_for(filed, network))
    return network


def request_for(
    task: str | None, model: str, settings: Settings, request: LoadRequest
) -> LoadRequest:
    """The request with the builder's arguments that make the network of a name the task's.

    Raises:
        As `network_asked`, and `zoohub.load` for the name.
    """
    if task is None:
        return request
    resolved = meant(model, settings)[0]
    entry, checkpoint = resolved.entry, resolved.checkpoint
    spec = entry.network_of(checkpoint)
    changed = network_asked(task, model, entry.task, spec)
    if spec is None or changed is None:
        return request
    own = spec.arguments
    differing = {k: v for k, v in changed.arguments.items() if k not in own or own[k] != v}
    return replace(request, arguments={**request.arguments, **differing})


def check_own(task: str | None, model: str, own: AnyTask) -> None:
    """That what cannot be changed is for the task that is asked; None: for any.

    Raises:
        UsageError: its head is for another. DataError: zoohub has no such task.
    """
    if task is None or task_called(task) is own:
        return
    asked = task_called(task)
    instead = (
        "that is asked of one network by its name, or of what was loaded or exported without its "
        "head (zoohub.load(NAME, head=…))"
        if asked.headless
        else "that task takes a head with weights of its own: fine-tune it on data for the task "
        "(zoohub finetune), or choose a model made for it (zoohub list --task)"
    )
    raise UsageError(f"{model} is for {own.name}, not for {asked.name}; {instead}")
