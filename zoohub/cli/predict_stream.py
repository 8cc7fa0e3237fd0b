"""`zoohub predict` of a network that writes: its answer is shown as it comes."""

from __future__ import annotations

from zoohub.cli.output import Output


class Streamed:
    """Prints the pieces of one answer after the other, just as its lines would stand there."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._begun = False

    def tell(self, name: str, piece: str) -> None:
        """A piece of the answer to the input of that name."""
        if not self._begun:
            self._output.data(name)
            self._output.piece("  ")
            self._begun = True
        self._output.piece(piece)

    def end(self) -> bool:
        """The answer is complete; whether anything of it was shown."""
        begun, self._begun = self._begun, False
        if begun:
            self._output.piece("\n")
        return begun
