"""Text that strangers have saved: UTF-8 mostly, UTF-16 by Windows' editors, GBK by Chinese ones."""

from __future__ import annotations

import os
import re
from pathlib import Path

from zoohub.core.escaping import brief
from zoohub.core.notes import note
from zoohub.errors import DataError, ZoohubError

MAX_TEXT_BYTES = 256 << 20
_BOM = b"\xef\xbb\xbf"
_SECOND_PART = 0xD8  # of GB 2312: rarer characters
# Of two bytes in UTF-8, and in no language's everyday letters: rarer Latin, phonetic signs, accents
# that stand alone, old Greek and Cyrillic.
_UNUSUAL = re.compile("[\u0180-\u0385\u03cf-\u03ff\u0460-\u048f\u0700-\u07ff]")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_text_file(
    path: Path, *, error: type[ZoohubError] = DataError, max_bytes: int = MAX_TEXT_BYTES
) -> str:
    """The text of a user's own file, in whichever encoding it was saved.

    Raises:
        DataError (or `error`): it cannot be read, is too large, or is no text; names the line.
    """
    data = file_bytes(path, str(path), error, max_bytes)
    return decoded(data, str(path), error, chinese=True)


def file_bytes(path: Path, name: str, error: type[ZoohubError], max_bytes: int) -> bytes:
    """What a file holds, within the limit; `name` stands for it in errors. Raises `error`."""
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)  # devices and pipes do not say how large they are
    except OSError as problem:
        raise error(f"{name} cannot be read: {problem.strerror or problem}") from None
    except ValueError:  # a NUL or half a character in the path
        raise error(f"{name!r} is no path of a file") from None
    if len(data) > max_bytes:
        raise error(f"{name}: larger than {max_bytes} bytes, refused; split it")
    return data


def decoded(
    data: bytes, name: str, error: type[ZoohubError], kind: str = "text", *, chinese: bool = False
) -> str:
    """Text from UTF-8, with or without a byte order mark, or from UTF-16 with one; `chinese` also
    from GBK where it can be nothing else, which is noted. What is valid UTF-8 is taken for that:
    of a word or two in GBK that happen to be, it is only noted. Line ends stay as they are.

    Raises:
        `error`: it is none of these, or has a NUL in it; names the line.
    """
    encoding = "utf-8"
    body = data.removeprefix(_BOM)
    if data.startswith(_UTF_16):
        encoding, body = "utf-16", data
    elif _looks_like_utf_16(data):
        raise error(f"{name}:1: UTF-16 text without its byte order mark; save the file as UTF-8")
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as problem:
        line = body.count(b"\n", 0, problem.start) + 1
        if not chinese:
            raise error(f"{name}:{line}: not UTF-8 text; save the file as UTF-8") from None
        text = _chinese(body, name, line, error)
    else:
        marked = len(body) < len(data) or encoding != "utf-8"
        if chinese and not marked and (meant := _also_chinese(body, text)):
            note(
                f"{name} was read as UTF-8, but might be GBK ({brief(meant)}); save it as UTF-8 if "
                "names come out wrong"
            )
    nul = text.find("\0")
    if nul >= 0:
        line = text.count("\n", 0, nul) + 1
        raise error(f"{name}:{line}: not valid {kind}: a NUL character; remove it")
    return text


def lines_of(text: str) -> list[str]:
    """The lines of a corpus, which end in a line feed, or one after a carriage return: the other
    ends that `str.splitlines` knows (U+2028, U+0085, …) are characters in one."""
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    return lines


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether there is such a file; no name is too long or too odd to ask."""
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises for long names


def exists(path: str | os.PathLike[str]) -> bool:
    """Whether there is a file or folder of that name; see `is_file`."""
    return os.path.exists(path)  # noqa: PTH110


def named_path(root: Path, text: str) -> Path:
    r"""The file that a user's file names, relative to `root`; it need not exist.

    Where there is none of that name, `\` parts folders too, as on Windows, and Chinese names count
    that only look like UTF-8 (图片 in GBK is ͼƬ in UTF-8).
    """
    given = root / _at_home(text)
    if exists(given):
        return given
    slashed = text.replace("\\", "/")
    for other in (slashed, _from_gbk(slashed)):
        if other != text and exists(found := root / _at_home(other)):
            return found
    return given if "\\" not in text else root / _at_home(slashed)


def _from_gbk(text: str) -> str:
    try:
        return text if text.isascii() else text.encode("utf-8").decode("gb18030")
    except UnicodeError:
        return text


def _at_home(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # `~name` of nobody here
        return Path(text)


def _looks_like_utf_16(data: bytes) -> bool:
    start = data[:64]
    return len(start) > 3 and len(start) // 3 < start.count(0) <= len(start) // 2


def _also_chinese(body: bytes, text: str) -> str | None:
    """What valid UTF-8 says as common Chinese, if it says that and, as UTF-8, has letters of no
    usual alphabet: 图片 in GBK is ͼƬ, but `café` would be caf茅."""
    if body.isascii() or not _UNUSUAL.search(text):
        return None
    try:
        meant = body.decode("gb2312")
    except UnicodeDecodeError:
        return None
    first = (c.encode("gb2312")[0] < _SECOND_PART for c in meant if not c.isascii())
    return " ".join(meant.split()) if all(first) else None


def _chinese(body: bytes, name: str, line: int, error: type[ZoohubError]) -> str:
    # GB18030 reads almost anything, `é` with the letter after it too. Common Chinese text is in
    # GB 2312 as well, where both bytes are high, and mostly in its first part: of letters with
    # accents two seldom stand together, and those of small letters are in the second.
    try:
        text = body.decode("gb2312")
    except UnicodeDecodeError:
        text = ""
    first = [c.encode("gb2312")[0] for c in text if not c.isascii()]
    if sum(byte < _SECOND_PART for byte in first) * 2 <= len(first):
        raise error(f"{name}:{line}: not UTF-8 text; save the file as UTF-8")
    note(f"{name} is not UTF-8 and was read as GBK; save it as UTF-8 if names come out wrong")
    return text
