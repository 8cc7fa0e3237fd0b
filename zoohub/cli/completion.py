"""`zoohub completion`: what a shell needs to complete commands, options and the index's names."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence

from zoohub.cli.output import Output
from zoohub.errors import ZoohubError
from zoohub.manifest.opening import open_index
from zoohub.settings import load_settings

EXAMPLES = (
    'eval "$(zoohub completion bash)"                      # in ~/.bashrc',
    'eval "$(zoohub completion zsh)"                       # in ~/.zshrc, after compinit',
    "zoohub completion fish > ~/.config/fish/completions/zoohub.fish",
)

# Bash breaks words at @ and : too; what it takes for done is cut off each answer again.
BASH = r"""_zoohub() {
    local line=${COMP_LINE:0:COMP_POINT} current=${COMP_WORDS[COMP_CWORD]} words done
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    done=${words[-1]%"$current"}
    mapfile -t COMPREPLY < <(zoohub completion words "${words[@]:1}" 2>/dev/null)
    COMPREPLY=("${COMPREPLY[@]#"$done"}")
}
complete -o default -o bashdefault -F _zoohub zoohub"""

ZSH = r"""_zoohub() {
    local -a found
    found=(${(f)"$(zoohub completion words "${(@)words[2,CURRENT]}" 2>/dev/null)"})
    if (( ${#found} )); then compadd -- $found; else _files; fi
}
compdef _zoohub zoohub"""

FISH = r"""function __zoohub
    set -l words (commandline -opc) (commandline -ct)
    zoohub completion words $words[2..] 2>/dev/null
end
complete -c zoohub -a '(__zoohub)'"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `zoohub completion`."""
    parser.add_argument(
        "shell",
        choices=(*SCRIPTS, "words"),
        help="the shell; `words` is what the script itself asks",
    )
    parser.add_argument("words", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)


def run(options: argparse.Namespace, output: Output) -> int:
    """Print the shell's script; or, for that script, what may follow the words typed so far."""
    if options.shell != "words":
        output.text(SCRIPTS[options.shell])
        return 0
    for word in suggestions(options.words):
        output.data(word)
    return 0


def suggestions(words: Sequence[str]) -> list[str]:
    """What the last of `words` (those after the program's name) may become, in order.

    Empty where anything may stand, or a file: the shell then offers files.
    """
    # build_parser imports this module for its verb.
    from zoohub.cli.main import build_parser

    *before, current = words or [""]
    # An option that is begun loads what tasks say of themselves, if there is no other such.
    asked = words if current.startswith("-") else before
    parser: argparse.ArgumentParser = build_parser(asked)
    place = 0
    awaited: argparse.Action | None = None
    for word in before:
        if awaited is not None:
            awaited = None
        elif word.startswith("-"):
            option = _option(parser, word)
            awaited = option if option is not None and option.nargs != 0 else None
        elif (verb := _verbs(parser).get(word)) is not None:
            parser, place = verb, 0
        else:
            place += 1
    return sorted(set(_possible(parser, place, awaited, current)))


def _possible(
    parser: argparse.ArgumentParser, place: int, awaited: argparse.Action | None, current: str
) -> Iterator[str]:
    if awaited is not None:
        yield from _starting(awaited.choices or (), current)
    elif current.startswith("-"):
        for action in parser._actions:
            yield from _starting(action.option_strings, current)
    elif _verbs(parser):
        yield from _starting(_verbs(parser), current)
    else:
        positional = [action for action in parser._actions if not action.option_strings]
        repeated = positional and positional[-1].nargs in ("+", "*")
        if repeated:
            place = min(place, len(positional) - 1)
        if place < len(positional):
            action = positional[place]
            yield from _starting(action.choices or (), current)
            if set(str(action.metavar).split("|")) & {"NAME", "PATTERN"}:
                yield from _names(current)


def _names(current: str) -> Iterator[str]:
    """Models of the index; behind an @, the checkpoints of one, and such names of other models:
    `ocr@printed` is a pipeline of its own."""
    index = open_index(load_settings())
    model, at, _ = current.partition("@")
    if not at:
        yield from _starting(index.models(), current)
        return
    others = (index.entry(name) for name in index.models() if name.startswith(f"{model}_"))
    yield from _starting((alias for other in others for alias in other.aliases), current)
    try:
        entry = index.resolve(model).entry
    except ZoohubError:
        return
    yield from _starting((f"{model}@{checkpoint.id}" for checkpoint in entry.checkpoints), current)


def _starting(words: Iterable[object], current: str) -> Iterator[str]:
    yield from (word for word in map(str, words) if word.startswith(current))


def _option(parser: argparse.ArgumentParser, word: str) -> argparse.Action | None:
    return next((action for action in parser._actions if word in action.option_strings), None)


def _verbs(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands below a parser, with the names people guess."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}
