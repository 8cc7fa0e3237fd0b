"""Text as editors of all lands save it."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoohub.core import notes
from zoohub.core.text_reader import decoded, exists, is_file, named_path, read_text_file
from zoohub.errors import DataError, RecipeError

TEXT = "names: [猫, 狗]\r\nnc: 2\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb2312", "gbk", "gb18030"])
def test_chinese_text_is_read_however_it_was_saved(
    tmp_path: Path, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(notes, "listener", said.append)
    file = tmp_path / "x.txt"
    file.write_bytes(TEXT.encode(encoding))
    assert read_text_file(file) == TEXT
    assert len(said) == encoding.startswith("gb")
    assert all(f"{file} is not UTF-8 and was read as GBK" in text for text in said)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("图片,图片\n".encode("gbk"), "图片,图片"),
        ("café, Größe, naïve\n".encode(), None),
        ("Ελληνικά, собака, שלום, سلام\n".encode(), None),
        ("ơ tiếng Việt\n".encode(), None),
        ("ͼƬ\n".encode("utf-8-sig"), None),
        (b"0 0.5 0.5 0.1 0.1\n", None),
    ],
)
def test_what_is_utf_8_is_read_so_and_noted_where_it_may_be_gbk(
    data: bytes, told: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(notes, "listener", said.append)
    assert decoded(data, "x.csv", DataError, chinese=True) == data.decode("utf-8-sig")
    expected = f"x.csv was read as UTF-8, but might be GBK ({told}); save it as UTF-8 if names"
    assert [text.startswith(expected) for text in said] == ([True] if told else [])


@pytest.mark.parametrize("order", ["le", "be"])
def test_utf_16_needs_its_byte_order_mark(order: str) -> None:
    data = "0 0.5 0.5 0.1 0.1".encode(f"utf-16-{order}")
    mark = b"\xff\xfe" if order == "le" else b"\xfe\xff"
    assert decoded(mark + data, "x", DataError).startswith("0 0.5")
    with pytest.raises(DataError, match="x:1: UTF-16 text without its byte order mark; save"):
        decoded(data, "x", DataError)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a\nb\0c", r"x:2: .*NUL character; remove it"),
        (b"a\n\nna\xefve", r"x:3: not UTF-8 text; save the file as UTF-8"),
        ("Größe".encode("latin-1"), r"x:1: not UTF-8"),
        ("Été à Évian, déçu".encode("cp1252"), r"x:1: not UTF-8"),
        ("names: [Übergrößen, Äpfel]".encode("cp1252"), r"x:1: not UTF-8"),
        (b"\xff\xfea\0\0", r"x:1: not UTF-8"),
        (b"\xff\xfea\0\0\0", r"x:1: .*NUL"),
    ],
)
def test_what_is_no_text_is_refused_with_its_line(data: bytes, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        decoded(data, "x", RecipeError, chinese=True)


def test_without_leave_gbk_is_refused() -> None:
    with pytest.raises(DataError, match="x:1: not UTF-8"):
        decoded("猫狗".encode("gbk"), "x", DataError)


@pytest.mark.parametrize("name", ["a" * 5000, "a\0b", "\ud800", "~nobody-here/x", "C:\\x\\y.png"])
def test_no_name_is_too_odd_to_ask_for(tmp_path: Path, name: str) -> None:
    path = named_path(tmp_path, name)
    assert not is_file(path)
    assert not exists(path)
    with pytest.raises(DataError, match=r"cannot be read|is no path"):
        read_text_file(path)


def test_backslashes_part_folders_unless_the_name_has_them(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.png").touch()
    assert named_path(tmp_path, "a\\b.png") == tmp_path / "a" / "b.png"
    assert named_path(tmp_path, ".\\a\\b.png").samefile(tmp_path / "a" / "b.png")
    (tmp_path / "a\\b.png").touch()
    assert named_path(tmp_path, "a\\b.png") == tmp_path / "a\\b.png"
    assert named_path(tmp_path, str(tmp_path / "a")) == tmp_path / "a"


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="a device of Unix")
def test_a_device_without_an_end_is_refused() -> None:
    with pytest.raises(DataError, match="/dev/zero: larger than 1000 bytes, refused"):
        read_text_file(Path("/dev/zero"), max_bytes=1000)
