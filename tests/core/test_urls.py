"""What is this machine is decided once: what is permitted there asks one way, what is refused the
other, and no spelling falls between the two to the wrong side."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoohub.core.urls import (
    could_be_this_machine,
    following,
    hop_refusal,
    is_this_machine,
    problem_of,
)

CERTAIN = ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.10", "::1"]
POSSIBLE = [
    *("127.1", "0.0.0.0", "0", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001"),
    *("a.localhost", "localhost.", "localhost.localdomain", "ip6-localhost", "localhost6", ""),
    *("169.254.169.254", "fe80::1", "fe80::1%eth0", "::", "::ffff:127.0.0.1", "::127.0.0.1"),
    *("64:ff9b::7f00:1", "2002:7f00:1::", "１２７.0.0.1", "127。0。0。1", "%31%32%37.0.0.1"),
    *("[::1]", "127.0.0.1.", "::ffff:169.254.169.254"),
]
PUBLIC = ["download.mindspore.cn", "8.8.8.8", "2001:4860:4860::8888", "a.example", "local.example"]


@pytest.mark.parametrize("host", CERTAIN)
def test_the_usual_names_of_this_machine_are_permitted_and_refused_as_such(host: str) -> None:
    assert is_this_machine(host)
    assert could_be_this_machine(host)


@pytest.mark.parametrize("host", POSSIBLE)
def test_another_spelling_of_this_machine_permits_nothing_and_is_refused(host: str) -> None:
    assert not is_this_machine(host)
    assert could_be_this_machine(host)


@pytest.mark.parametrize("host", PUBLIC)
def test_a_public_server_is_neither(host: str) -> None:
    assert not is_this_machine(host)
    assert not could_be_this_machine(host)


@given(st.text(max_size=40))
def test_whatever_is_permitted_would_also_be_refused(host: str) -> None:
    assert could_be_this_machine(host) or not is_this_machine(host)


@pytest.mark.parametrize("host", [h for h in POSSIBLE if h and ":" not in h])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_redirect_from_elsewhere_leads_to_this_machine(host: str, scheme: str) -> None:
    first = f"{scheme}://far.example/x"
    target = f"{scheme}://{host}/y"
    assert hop_refusal(first, first, target, https_only=False, allow_http=True)


@pytest.mark.parametrize(
    "location",
    [
        *(
            "http://a.example:99999999/x",
            "http://a.example:abc/x",
            "http://[::1/x",
            "http://a\\@b/",
        ),
        *("http://a@b@c/", "http://a.example/\x00", "http://a.example/\r\nX: y", "//[", "x" * 9000),
    ],
)
def test_a_location_that_two_parsers_would_read_differently_is_none(location: str) -> None:
    assert following("https://a.example/x", location) is None


def test_a_location_may_be_relative_and_gives_no_secrets() -> None:
    assert following("https://a.example/d/x", "y?z") == "https://a.example/d/y?z"
    assert following("https://a.example/x", "https://u:p@b.example/y") == "https://b.example/y"


@given(st.text(max_size=60))
def test_no_text_makes_the_rules_raise(text: str) -> None:
    problem_of(text)
    target = following("https://a.example/x", text)
    if target is not None:
        hop_refusal(
            "https://a.example/", "https://a.example/", target, https_only=True, allow_http=False
        )
