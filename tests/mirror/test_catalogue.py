"""The catalogue: nothing from the index is ever read as HTML, and a browser shows it at once."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from zoohub.manifest.entry import Checkpoint, Entry, Record
from zoohub.manifest.hashes import FileRecord
from zoohub.mirror.catalogue import catalogue
from zoohub.mirror.markup import amount, embedded_json
from zoohub.mirror.prune import prune
from zoohub.mirror.publish import Publisher
from zoohub.mirror.selection import page_path, path_of
from zoohub.mirror.verify import repair, verify
from zoohub.transfer.plan import is_safe_name

HOSTILE = "</script><script>window.hacked=1</script><img src=x onerror='window.hacked=1'>&\u2028"


def entry(number: int, **fields: Any) -> Entry:
    """One of many models; every tenth runnable, in three tasks."""
    model = f"net{number:04d}"
    digest = hashlib.sha256(model.encode()).hexdigest()
    task = ("image-classification", "object-detection", "segmentation")[number % 3]
    dataset = ("imagenet2012", "coco2017")[number % 2]
    publisher = ("mindcv", "models")[number % 2]
    url = f"https://origin.test/zoo/{model}.ckpt"
    checkpoint = Checkpoint(
        model,
        "lab",
        "ckpt",
        (url,),
        "sha256",
        sha256=digest,
        size=1_000_000 + number,
        dataset=dataset,
        metrics={"top1": 50 + number / 100},
        licence="Apache-2.0",
        dataset_terms="non-commercial research only",
        records=(Record(f"lab/{model}", url, publisher=publisher),),
    )
    known: dict[str, Any] = {
        "task": task,
        "default": "lab",
        "checkpoints": (checkpoint,),
        "parameter_count": 1_000_000 * (number + 1),
    }
    return Entry(fields.pop("model", model), "net", **{**known, **fields})


def pages(entries: list[Entry], **options: Any) -> dict[str, bytes]:
    return catalogue(
        entries,
        files=options.pop("files", {}),
        runnable=options.pop("runnable", lambda e: int(e.model[3:7] or 0) % 10 == 0),
        created="2026-11-22T20:00:00Z",
        **options,
    )


def test_the_data_in_the_page_cannot_end_its_element_and_reads_back() -> None:
    value = {"text": HOSTILE, "list": [1.5, None, "ü"]}

    text = embedded_json(value)

    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == value


def put(folder: Path, made: dict[str, bytes]) -> str:
    """Write the pages; returns the list's address."""
    (folder / "m").mkdir()
    for path, data in made.items():
        (folder / path).write_bytes(data)
    return (folder / "index.html").as_uri()


def test_a_lone_surrogate_does_not_break_the_pages() -> None:
    for data in pages([entry(0, description="\ud800", model="\ud800")]).values():
        assert "?" in data.decode("utf-8")


def test_the_page_loads_nothing_and_its_policy_allows_only_its_own_script() -> None:
    made = pages([entry(0)], title='"><b>')

    for path, scripts in (("index.html", 2), ("m/net0000.html", 1)):
        text = made[path].decode()
        assert text.count("<script") == scripts
        script = re.search(r"<script>(.*)</script>", text, re.DOTALL)
        assert script
        digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
        assert f"default-src 'none'; script-src 'sha256-{digest}'" in text
        assert not re.search(r"""src=["']?(https?:)?//|<link|@import|url\(""", text)
        assert "&quot;&gt;&lt;b&gt;</title>" in text


def test_a_models_page_says_all_without_a_script() -> None:
    one = entry(10)
    path = path_of(one.checkpoints[0])
    assert path is not None

    made = pages([one], files={path: FileRecord("b" * 64, 77)})

    shown = re.sub(r"<script>.*?</script>|<style>.*?</style>", "", made["m/net0010.html"].decode())
    shown = html.unescape(re.sub(r"<[^>]*>", "\n", shown))
    for text in (
        hashlib.sha256(b"net0010").hexdigest(),
        "50.1",
        "77 B",
        "11.0 M parameters",
        "Apache-2.0",
        "non-commercial research only",
        "origin.test/zoo/net0010.ckpt",
        "export ZOOHUB_MIRROR=ADDRESS",
        "zoohub download net0010",
        'net = zoohub.load("net0010", pretrained=True)',
    ):
        assert f"\n{text}\n" in shown or f"\n{text}" in shown
    assert b'href="m/net0010.html"' in made["index.html"]  # for those without JavaScript too


def test_a_file_whose_hash_only_the_mirror_knows_says_so() -> None:
    one = entry(1)
    known = replace(one.checkpoints[0], declared="prefix", sha256=None, sha256_prefix="c" * 8)
    path = path_of(known)
    assert path is not None

    alone = pages([replace(one, checkpoints=(known,))])["m/net0001.html"].decode()
    mirrored = pages([replace(one, checkpoints=(known,))], files={path: FileRecord("b" * 64, 7)})

    assert "cccccccc…" in alone
    assert "only the beginning is declared" in alone
    assert "b" * 64 in mirrored["m/net0001.html"].decode()
    assert "of this mirror&#x27;s file" in mirrored["m/net0001.html"].decode()


def test_pages_of_names_that_differ_in_case_or_mean_devices_are_different_files() -> None:
    names = [
        "resnet50",
        "ResNet50",
        "RESNET50",
        "con",
        "aux.x",
        "nul",
        "x" * 200,
        "网络",
        "a b",
        "...",
    ]

    paths = [page_path(name) for name in names]

    assert paths[0] == "m/resnet50.html"
    assert len({path.casefold() for path in paths}) == len(names)
    for path in paths:
        folder, _, file = path.partition("/")
        assert folder == "m"
        assert is_safe_name(file)
        assert file.isascii()
        assert len(file) < 180


def test_amounts_have_three_digits() -> None:
    units = (" B", " kB", " MB")
    shown = [amount(n, units) for n in (0, 999, 1000, 9994, 9999, 25_600_000, 999_900_000, 10**10)]
    assert shown == [
        "0 B",
        "999 B",
        "1.00 kB",
        "9.99 kB",
        "10.0 kB",
        "25.6 MB",
        "1000 MB",
        "10000 MB",
    ]


def test_only_pages_that_changed_are_written_and_those_of_models_gone_are_removed(
    mirror: Any,
) -> None:
    mirror.zoo.add("net_a")
    mirror.zoo.add("net_b", declared="none")
    mirror.sync()
    before = {name: (mirror.root / page_path(name)).stat() for name in ("net_a", "net_b")}
    assert verify(mirror.target, mirror.settings).is_sound

    mirror.zoo.documents["net_b"]["description"] = "now described"
    mirror.zoo.add("Net_C")
    mirror.sync()

    after = {name: (mirror.root / page_path(name)).stat() for name in ("net_a", "net_b")}
    assert after["net_a"].st_ino == before["net_a"].st_ino
    assert "now described" in (mirror.root / page_path("net_b")).read_text()
    assert "Net_C" in (mirror.root / page_path("Net_C")).read_text()
    assert f'"page":"{quote(page_path("Net_C"))}"' in (mirror.root / "index.html").read_text()

    prune(mirror.target, mirror.settings, Publisher(), keep=["net_*"])
    assert not (mirror.root / page_path("Net_C")).exists()
    assert (mirror.root / page_path("net_a")).exists()
    assert verify(mirror.target, mirror.settings).is_sound


def test_a_damaged_or_missing_page_is_found_and_made_again(mirror: Any) -> None:
    mirror.zoo.add("net_a")
    mirror.zoo.add("net_b")
    mirror.sync()
    right = {name: (mirror.root / page_path(name)).read_bytes() for name in ("net_a", "net_b")}
    (mirror.root / page_path("net_a")).write_bytes(right["net_a"].replace(b"net_a", b"net_x"))
    (mirror.root / page_path("net_b")).unlink()

    found = verify(mirror.target, mirror.settings)
    assert [damage.path for damage in found.damaged] == [page_path("net_a")]
    assert found.missing == (page_path("net_b"),)
    repaired = repair(mirror.target, mirror.settings, Publisher())

    assert repaired.is_sound
    assert {n: (mirror.root / page_path(n)).read_bytes() for n in right} == right


# ---- in a browser ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page with 4,000 checkpoints, as a file."""
    entries = [entry(number) for number in range(4000)]
    paths = [path_of(e.checkpoints[0]) for e in entries[:100]]
    files = {path: FileRecord("b" * 64, 5) for path in paths if path}
    return put(tmp_path_factory.mktemp("catalogue"), pages(entries, files=files))


def names(browser: Any) -> list[str]:
    found: list[str] = browser.execute_script(
        "return [...document.querySelectorAll('#list .name')]"
        ".map(n => n.textContent.replace(' (runnable)', ''))"
    )
    return found


def count(browser: Any) -> str:
    return str(browser.find_element("id", "count").text)


def choose(browser: Any, id: str, value: str) -> None:
    browser.execute_script(
        "const e = document.getElementById(arguments[0]); e.value = arguments[1];"
        "e.dispatchEvent(new Event('input', {bubbles: true}))",
        id,
        value,
    )


def of_model(big: str) -> str:
    """The address of a model's page."""
    return big.replace("index.html", "m/net0010.html")


def fresh(browser: Any, address: str) -> None:
    browser.get("about:blank")
    browser.get(address)


@pytest.mark.slow
def test_four_thousand_checkpoints_show_and_narrow_with_every_key(browser: Any, big: str) -> None:
    fresh(browser, big)
    ready = browser.execute_script(
        "return performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
    )
    typed = browser.execute_script(
        "const q = document.getElementById('q'), seen = [];"
        "for (const text of ['n', 'net', 'net3', 'net39', 'net399', 'net3999', '']) {"
        "  const start = performance.now(); q.value = text;"
        "  q.dispatchEvent(new Event('input', {bubbles: true})); document.body.offsetHeight;"
        "  seen.push([document.getElementById('count').textContent, performance.now() - start]);"
        "} return seen"
    )
    print(f"ready {ready:.0f} ms, keys {', '.join(f'{took:.0f}' for _, took in typed)} ms")
    counts = [text.split()[0] for text, _ in typed]
    assert counts == ["4,000", "4,000", "1,000", "100", "10", "1", "4,000"]


@pytest.mark.slow
def test_typing_filters_and_the_best_match_comes_first(browser: Any, big: str) -> None:
    fresh(browser, big)
    browser.find_element("id", "q").send_keys("net0042")

    assert names(browser) == ["net0042"]
    assert count(browser) == "1 model of 4,000"
    browser.find_element("id", "q").send_keys("zzz")
    assert "No model fits" in browser.find_element("id", "more").text
    browser.find_element("id", "reset").click()
    assert count(browser) == "4,000 models"


@pytest.mark.slow
def test_filters_narrow_by_task_dataset_source_runnable_and_mirror(browser: Any, big: str) -> None:
    fresh(browser, big)

    choose(browser, "task", "object-detection")
    assert count(browser) == "1,333 models of 4,000"
    choose(browser, "dataset", "coco2017")
    assert count(browser) == "667 models of 4,000"
    choose(browser, "source", "mindcv")
    assert count(browser) == "0 models of 4,000"
    choose(browser, "source", "models")
    choose(browser, "dataset", "")
    choose(browser, "source", "")
    browser.find_element("id", "runnable").click()
    assert count(browser) == "133 models of 4,000"
    browser.find_element("id", "here").click()
    assert names(browser) == ["net0010", "net0040", "net0070"]


@pytest.mark.slow
def test_scrolling_brings_the_rest(browser: Any, big: str) -> None:
    fresh(browser, big)
    before = len(names(browser))
    browser.execute_async_script(
        "const done = arguments[0]; scrollTo(0, document.body.scrollHeight); setTimeout(done, 500)"
    )

    assert before < len(names(browser)) <= 4000


@pytest.mark.slow
def test_a_models_page_has_metrics_hash_terms_and_commands(browser: Any, big: str) -> None:
    folder = big.rsplit("/", 1)[0]
    fresh(browser, big)
    browser.find_element("id", "q").send_keys("net0010")
    browser.find_element("css selector", "#list a").click()

    assert browser.current_url == f"{folder}/m/net0010.html"
    article = browser.find_element("id", "model")
    digest = hashlib.sha256(b"net0010").hexdigest()
    for text in (digest, "50.1", "top1", "Apache-2.0", "non-commercial research only", "runnable"):
        assert text in article.text
    commands = [c.text for c in browser.find_elements("css selector", "#model code")]
    assert commands[0] == f"export ZOOHUB_MIRROR={folder}"
    assert commands[1] == "zoohub download net0010"
    assert commands[2] == 'import zoohub\nnet = zoohub.load("net0010", pretrained=True)'
    assert browser.title.startswith("net0010")
    browser.back()
    assert names(browser) == ["net0010"]  # the search is still there
    fresh(browser, f"{big}#/m/net0010")  # an address of earlier versions
    assert browser.find_element("css selector", "h1").text == "net0010"
    browser.find_element("css selector", "a.back").click()
    assert count(browser) == "4,000 models"


@pytest.mark.slow
def test_without_javascript_the_models_are_listed_and_their_pages_whole(
    browser: Any, big: str
) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        fresh(browser, big)
        links = browser.find_elements("css selector", "noscript a")
        assert len(links) == 4000
        links[10].click()
        assert browser.current_url.endswith("/m/net0010.html")
        shown = browser.find_element("id", "model").text
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    digest = hashlib.sha256(b"net0010").hexdigest()
    for text in (digest, "50.1", "Apache-2.0", "zoohub download net0010", "ADDRESS is the folder"):
        assert text in shown
    assert "Copy" not in shown  # no button that does nothing


@pytest.mark.slow
def test_copying_a_command_puts_it_on_the_clipboard_or_selects_it(browser: Any, big: str) -> None:
    fresh(browser, of_model(big))
    button = browser.find_elements("css selector", "#model .command button")[1]
    button.click()

    from selenium.webdriver.support.ui import WebDriverWait

    # The browser gives its answer when it likes.
    WebDriverWait(browser, 10).until(lambda _: button.text in ("Copied", "Selected"))


@pytest.mark.slow
def test_it_is_readable_on_a_phone_and_loads_nothing(browser: Any, big: str) -> None:
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    browser.get_log("performance")
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        for address in (big, of_model(big)):
            fresh(browser, address)
            wide = browser.execute_script("return document.documentElement.scrollWidth")
            assert wide <= 390
            small = browser.execute_script(
                "return [...document.querySelectorAll('a.row, button, select, #q')]"
                ".filter(e => e.offsetParent && e.getBoundingClientRect().height < 24).length"
            )
            assert small <= 1  # "Clear filters" is a link in a line of text
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    events = [json.loads(row["message"])["message"] for row in browser.get_log("performance")]
    asked = {
        e["params"]["request"]["url"].partition("#")[0]
        for e in events
        if e["method"] == "Network.requestWillBeSent"
    }
    assert asked <= {big, of_model(big), "about:blank"}


@pytest.mark.slow
def test_a_hostile_index_runs_no_script_and_makes_no_link(browser: Any, tmp_path: Path) -> None:
    bad = Checkpoint(
        HOSTILE,
        HOSTILE,
        HOSTILE,
        ("javascript:window.hacked=1", "data:text/html,<script>1</script>"),
        "none",
        dataset=HOSTILE,
        metrics={HOSTILE: 1.0},
        licence=HOSTILE,
        dataset_terms=HOSTILE,
        note=HOSTILE,
        records=(Record(HOSTILE, "javascript:1", publisher=HOSTILE, repository=HOSTILE),),
    )
    hostile = Entry(
        HOSTILE,
        HOSTILE,
        HOSTILE,
        HOSTILE,
        aliases=(HOSTILE, "__proto__"),
        checkpoints=(bad,),
        description=HOSTILE,
        paper="javascript:window.hacked=1",
    )
    made = pages([hostile, entry(3, description="fine")], title=HOSTILE, runnable=lambda _: True)
    address = put(tmp_path, made)
    browser.get_log("browser")
    fresh(browser, address)
    assert count(browser) == "2 models"
    browser.find_element("css selector", "#list a").click()

    links = browser.execute_script(
        "return [...document.querySelectorAll('a')].map(a => a.protocol).filter(p => p !== 'file:')"
    )
    assert links == []
    assert HOSTILE[:-1] in browser.find_element("css selector", "h1").get_attribute("textContent")
    assert browser.execute_script("return window.hacked === undefined")
    assert browser.execute_script("return document.images.length") == 0
    assert [row["message"] for row in browser.get_log("browser")] == []


@pytest.mark.slow
def test_text_has_enough_contrast_in_both_colour_schemes(browser: Any, big: str) -> None:
    ratio = """
    const lum = c => {
      const [r, g, b] = c.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
        .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
      return .2126 * r + .7152 * g + .0722 * b };
    const back = e => {
      for (; e; e = e.parentElement) {
        const c = getComputedStyle(e).backgroundColor;
        if (!/, 0\\)$|transparent/.test(c)) return c }
      return 'rgb(255,255,255)' };
    let worst = 99;
    for (const e of document.querySelectorAll('main *, header *, footer')) {
      const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
      if (!e.offsetParent || !own) continue;
      const a = lum(getComputedStyle(e).color), b = lum(back(e));
      worst = Math.min(worst, (Math.max(a, b) + .05) / (Math.min(a, b) + .05)) }
    return worst"""
    try:
        for scheme in ("light", "dark"):
            feature = {"name": "prefers-color-scheme", "value": scheme}
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
            for address in (big, of_model(big)):
                fresh(browser, address)
                assert browser.execute_script(ratio) >= 4.5  # WCAG 2.2 AA
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
