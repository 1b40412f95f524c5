"""The wallboard in Chromium: what happens appears by itself, for all eyes, and nothing is asked of others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import Service, Visit, chromium, serving
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow


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
