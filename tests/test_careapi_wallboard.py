"""The wallboard in Chromium: what happens appears by itself, for all eyes, and nothing is asked of others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from browsing import Service, Visit, chromium, grave_faults, serving
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = pytest.mark.slow
Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("wallboard")) as service:
        yield service


@pytest.fixture
def visit(browser: Browser, service: Service) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    visit = Visit(context, service.url)
    yield visit
    context.close()
    assert visit.asked
    assert visit.strangers == []
    assert visit.complaints == []


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("span(59.9)", "59 s"),
        ("span(60)", "1 min"),
        ("span(3600)", "1 h"),
        ("span(3900)", "1 h 05 min"),
        ("span(100000)", "1 d 3 h"),
        ("span(null)", "–"),
        ("percent(0.999)", "99 %"),
        ("percent(0.29)", "29 %"),
        ("percent(null)", "–"),
        ("number(60000)", "60,000"),
        ("money(7500, 'EUR')", "EUR 75.00"),
        ("money(7500, 'JPY')", "JPY 7,500"),
        ("minorUnits('75', 'EUR')", 7500),
        ("minorUnits('75,5', 'EUR')", 7550),
        ("minorUnits(' 0.29 ', 'EUR')", 29),
        ("minorUnits('75.5', 'JPY')", None),
        ("minorUnits('0', 'EUR')", None),
        ("minorUnits('1.234', 'EUR')", None),
        ("minorUnits('-1', 'EUR')", None),
        ("languageName('pt')", "Portuguese"),
    ],
)
def test_numbers_are_told_as_people_read_them(words: Page, asked: str, told: object) -> None:
    assert words.evaluate(f"import('/static/words.js').then(({{ {asked.split('(')[0]} }}) => {asked})") == told


@pytest.fixture(scope="module")
def words(browser: Browser, service: Service) -> Iterator[Page]:
    page = browser.new_page()
    page.goto(f"{service.url}/signin")
    yield page
    page.close()


def row(page: Page, language: str) -> Locator:
    return page.locator("#rows tr", has=page.get_by_role("rowheader", name=language))


def test_a_mention_that_comes_in_appears_without_a_reload(visit: Visit, service: Service) -> None:
    page = visit.open("/")
    expect(page.locator("#link")).to_have_text("Live")
    expect(page.locator("#rows tr")).to_have_count(14)
    waiting = int(page.locator("#open").inner_text())
    page.evaluate("document.body.dataset.old = 'yes'")
    service.bring("german-1", lang="de", text="Wo ist mein Koffer? KL1770", external_user="g1")
    expect(page.locator("#open")).to_have_text(str(waiting + 1))
    expect(row(page, "German").locator("td b")).to_have_text("1")
    expect(page.locator("#feed li").first).to_contain_text("New case · German")
    expect(page.locator("body")).to_have_attribute("data-old", "yes")
    expect(page.locator("#said")).to_contain_text("waiting, oldest")


def test_what_is_late_is_told_in_words_and_by_a_shape(visit: Visit, service: Service) -> None:
    page = visit.open("/")
    expect(page.locator("#crisis-state")).to_have_text("Normal operation")
    switch = {"agent": "lead", "promise_s": {"public": 0.5}, "relaxed": ["no"], "open_cases": 1}
    service.ask("PUT", "/v1/crisis", {**switch, "on": True})
    expect(page.locator("#crisis-state")).to_have_text("Crisis mode")
    expect(page.locator("#crisis-more")).to_contain_text("English helps out in Norwegian")
    service.bring("norwegian-1", lang="no", text="Hvor er kofferten min? KL1770", external_user="n1")
    late = row(page, "Norwegian").locator(".pill")
    expect(late).to_have_text("1 late", timeout=20_000)  # at the next snapshot after the promise is over
    shape = late.evaluate("mark => getComputedStyle(mark, '::before').content")
    assert shape == '"■"'
    service.ask("PUT", "/v1/crisis", {**switch, "on": False})
    expect(page.locator("#crisis-state")).to_have_text("A crisis is advised")


def test_when_the_service_is_silent_the_board_says_so_and_goes_on_by_itself(visit: Visit, service: Service) -> None:
    page = visit.open("/")
    expect(page.locator("#link")).to_have_text("Live")
    visit.context.route("**/v1/kpis*", lambda route: route.abort())
    service.bring("silent-1", external_user="s1")
    expect(page.locator("#link")).to_have_text("No answer, trying again")
    page.evaluate("Date.now = (was => () => was() + 60000)(Date.now)")
    expect(page.locator("#link")).to_contain_text("Out of date: numbers of")
    expect(page.locator("#board")).to_have_class("stale")
    visit.context.unroute("**/v1/kpis*")
    expect(page.locator("#link")).to_have_text("Live")
    expect(page.locator("#board")).not_to_have_class("stale")
    visit.complaints.clear()  # Chromium tells of each request that was cut


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_grave_on_the_wallboard(browser: Browser, service: Service, scheme: Scheme) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme)
    visit = Visit(context, service.url)
    service.bring("axe-1", lang="fr", text="Où est ma valise? KL1770", external_user="f1")
    for path in ("/signin?to=/desk", "/", "/docs"):
        page = visit.open(path) if path == "/" else context.new_page()
        page.goto(visit.url + path)
        page.wait_for_load_state("load")
        if path == "/":
            expect(row(page, "French").locator("td b")).to_have_text("1")
        if path == "/docs":
            page.locator("summary").first.click()
        assert grave_faults(page) == []
    assert visit.strangers == []
    context.close()


def test_a_narrow_screen_and_large_letters_lose_nothing(visit: Visit) -> None:
    page = visit.open("/")
    expect(page.locator("#rows tr")).to_have_count(14)
    page.evaluate("for (const big of document.querySelectorAll('.big')) big.textContent = '23 h 59 min'")
    page.set_viewport_size({"width": 320, "height": 640})  # 1280 enlarged four times
    shown = "[...document.querySelectorAll('main, main *, .top *')]"
    wide = f"{shown}.filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
    wider = page.evaluate(f"{wide}.filter(e => !e.closest('.languages')).map(e => e.outerHTML.slice(0, 200))")
    assert wider == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_with_less_motion_nothing_moves(visit: Visit, service: Service) -> None:
    page = visit.open("/")
    page.emulate_media(reduced_motion="reduce")
    expect(page.locator("#link")).to_have_text("Live")
    service.bring("still-1", external_user="m1")
    expect(page.locator("#feed li.new").first).to_be_visible()
    assert page.locator("#feed li.new").first.evaluate("item => getComputedStyle(item).animationName") == "none"


def test_the_reference_lists_every_address(browser: Browser, service: Service) -> None:
    page = browser.new_page()
    page.goto(f"{service.url}/docs")
    expect(page.locator("details summary code", has_text="/v1/claims")).to_have_count(1)
    described = service.ask("GET", "/openapi.json")["paths"]
    assert page.locator("details").count() == sum(len(item) for item in described.values())
    page.get_by_label("Find an address").fill("paylinks")
    expect(page.locator("#found")).to_have_text("2 found")
    page.close()
