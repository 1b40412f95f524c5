"""The agent desk in Chromium, worked by keyboard alone; what goes wrong is told, what was typed is kept."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from browsing import Service, Visit, chromium, grave_faults, serving
from playwright.sync_api import Browser, Page, Request, Route, expect

pytestmark = pytest.mark.slow
_numbers = count(1)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with serving(tmp_path) as service:
        yield service


@pytest.fixture
def visit(browser: Browser, service: Service) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="dark")
    visit = Visit(context, service.url)
    yield visit
    context.close()
    assert visit.asked
    assert visit.strangers == []


def begin(visit: Visit, agent: str = "a1", live: str = "Live") -> Page:
    """Open the desk as an agent who speaks English."""
    page = visit.open("/desk")
    expect(page.locator("#who-dialog")).to_be_visible()
    page.keyboard.type(agent)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("#who")).to_contain_text(f"{agent} · English")
    expect(page.locator("#link")).to_have_text(live)
    return page


def claim(page: Page, number: int) -> None:
    page.keyboard.press("c")
    expect(page.locator("#head")).to_have_text(f"Case {number} · English")
    expect(page.locator("#head")).to_be_focused()


def tab_to(page: Page, name: str) -> None:
    for _ in range(12):
        if page.locator(f"#{name}").evaluate("field => field === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} is not reached by Tab")


def test_a_case_is_claimed_paid_told_to_the_crew_and_answered_by_keyboard_alone(visit: Visit, service: Service) -> None:
    assert service.bring("1") == 1
    page = begin(visit)
    claim(page, 1)
    expect(page.locator("#talk")).to_contain_text("Where is my bag?")

    page.keyboard.press("p")
    expect(page.locator("#amount")).to_be_focused()
    page.keyboard.type("75,50")
    page.keyboard.press("Enter")
    expect(page.locator("#paylinks")).to_contain_text("EUR 75.50")
    expect(page.locator("#paylinks")).to_contain_text("not paid yet")

    page.keyboard.press("n")
    expect(page.locator("#flight")).to_be_focused()
    page.keyboard.type("kl 1770")
    tab_to(page, "seat")
    page.keyboard.type("12a")
    tab_to(page, "notice-text")
    page.keyboard.type("Needs a wheelchair at the gate")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#notices")).to_contain_text("KL1770")
    expect(page.locator("#notices")).to_contain_text("12A")

    page.keyboard.press("r")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.type("It is on its way to you.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#none")).to_be_visible()
    expect(page.locator("#claim")).to_be_focused()
    case = service.ask("GET", "/v1/cases/1")
    assert "It is on its way to you." in case["replies"][0]["text"]
    assert case["status"] == "waiting_customer"
    assert visit.complaints == []


def test_a_case_is_handed_on_let_go_and_resolved_by_keyboard_alone(visit: Visit, service: Service) -> None:
    for number in (1, 2, 3):
        service.bring(str(number), external_user=f"u{number}")
    page = begin(visit)
    for number in (1, 2, 3):
        claim(page, number)

    page.keyboard.press("e")
    expect(page.locator("#resolve-dialog")).to_be_visible()
    tab_and_send(page, "#resolve-dialog .first")
    expect(page.locator("#mine button")).to_have_count(2)
    assert service.ask("GET", "/v1/cases/3")["status"] == "resolved"

    page.keyboard.press("l")
    expect(page.locator("#mine button")).to_have_count(1)
    released = {number: service.ask("GET", f"/v1/cases/{number}") for number in (1, 2)}
    assert sorted(case["status"] for case in released.values()) == ["assigned", "open"]

    page.keyboard.press("t")
    expect(page.locator("#to-lang")).to_be_focused()
    page.keyboard.type("Dutch")
    tab_and_send(page, "#transfer-dialog .first")
    expect(page.locator("#none")).to_be_visible()
    assert [case["status"] for case in service.ask("GET", "/v1/cases?lang=nl")["items"]] == ["open"]


def tab_and_send(page: Page, button: str) -> None:
    """Go on by Tab to a button and press it."""
    for _ in range(8):
        if page.locator(button).evaluate("button => button === document.activeElement"):
            page.keyboard.press("Enter")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{button} is not reached by Tab")


def test_a_reply_that_was_refused_is_kept_and_sent_again_under_the_same_key(visit: Visit, service: Service) -> None:
    service.bring("1")
    page = begin(visit)
    claim(page, 1)
    keys: list[str | None] = []

    def busy(route: Route, request: Request) -> None:
        keys.append(request.headers.get("idempotency-key"))
        route.fulfill(status=503, headers={"Retry-After": "7"}, content_type="application/problem+json", body="{}")

    visit.context.route("**/reply", busy)
    page.keyboard.press("r")
    page.keyboard.type("Typed with care.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#fault")).to_contain_text("busy; try again in 7 s")
    expect(page.locator("#text")).to_have_value("Typed with care.")
    expect(page.locator("#text")).to_be_focused()

    page.reload()
    expect(page.locator("#text")).to_have_value("Typed with care.")
    visit.context.unroute("**/reply")

    def sent(request: Request) -> None:
        if request.url.endswith("/reply"):
            keys.append(request.headers.get("idempotency-key"))

    visit.context.on("request", sent)
    page.keyboard.press("r")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#none")).to_be_visible()
    assert len(keys) == 2 and keys[0] and keys[0] == keys[1]
    assert [reply["text"] for reply in service.ask("GET", "/v1/cases/1")["replies"]] == ["Typed with care."]


def test_a_service_that_does_not_answer_costs_no_text(visit: Visit, service: Service) -> None:
    service.bring("1")
    page = begin(visit)
    claim(page, 1)
    visit.context.route("**/reply", lambda route: route.abort())
    page.keyboard.press("r")
    page.keyboard.type("Typed with care.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#fault")).to_contain_text("did not answer")
    expect(page.locator("#text")).to_have_value("Typed with care.")


def test_what_changed_meanwhile_is_shown_before_anything_is_sent(visit: Visit, service: Service) -> None:
    service.bring("1", public=False)
    visit.context.route("**/v1/events*", lambda route: route.abort())  # else the desk would know at once
    page = begin(visit, live="Connecting")
    claim(page, 1)
    assert service.bring("2", public=False, text="It is blue. Where is it?") == 1
    page.keyboard.press("r")
    page.keyboard.type("We look for it.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#fault")).to_contain_text("changed while you had it open")
    expect(page.locator("#fault")).to_contain_text("Nothing was sent")
    expect(page.locator("#talk .fresh")).to_contain_text("It is blue.")
    expect(page.locator("#text")).to_have_value("We look for it.")
    assert service.ask("GET", "/v1/cases/1")["replies"] == []
    page.keyboard.press("Control+Enter")
    expect(page.locator("#none")).to_be_visible()
    assert len(service.ask("GET", "/v1/cases/1")["replies"]) == 1


def test_a_second_message_of_the_customer_appears_by_itself(visit: Visit, service: Service) -> None:
    service.bring("1", public=False)
    page = begin(visit)
    claim(page, 1)
    page.keyboard.press("r")
    page.keyboard.type("We look")
    service.bring("2", public=False, text="It is blue. Where is it?")
    expect(page.locator("#talk .fresh")).to_contain_text("It is blue.")
    expect(page.locator("#text")).to_have_value("We look")
    expect(page.locator("#text")).to_be_focused()
    expect(page.locator("#said")).to_have_text("New message in case 1.")


def test_what_is_wrong_in_a_dialog_is_said_and_the_field_takes_the_focus(visit: Visit, service: Service) -> None:
    service.bring("1")
    page = begin(visit)
    claim(page, 1)
    page.keyboard.press("p")
    page.keyboard.type("seventy")
    page.keyboard.press("Enter")
    expect(page.locator("#paylink-dialog .fault")).to_contain_text("The amount is a number above 0")
    expect(page.locator("#amount")).to_be_focused()
    expect(page.locator("#amount")).to_have_attribute("aria-invalid", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#paylink-dialog")).to_be_hidden()
    expect(page.locator("#head")).to_be_focused()  # back to where it was


def test_letters_are_letters_while_a_text_is_written_and_when_shortcuts_are_off(visit: Visit, service: Service) -> None:
    service.bring("1")
    service.bring("2", external_user="u2")
    page = begin(visit)
    claim(page, 1)
    page.keyboard.press("r")
    page.keyboard.type("celt")
    expect(page.locator("#text")).to_have_value("celt")
    expect(page.locator("#mine button")).to_have_count(1)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    tab_to(page, "keys-on")
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    page.reload()
    expect(page.locator("#who")).to_contain_text("a1")
    page.keyboard.press("c")
    expect(page.locator("#mine button")).to_have_count(1)


def test_each_text_says_in_which_language_it_is(visit: Visit, service: Service) -> None:
    service.bring("1")
    page = begin(visit)
    claim(page, 1)
    expect(page.locator("#talk p").first).to_have_attribute("lang", "en")
    expect(page.locator("#talk p").first).to_have_attribute("dir", "auto")
    expect(page.locator("#text")).to_have_attribute("lang", "en")


def test_a_post_that_looks_like_markup_is_text(visit: Visit, service: Service) -> None:
    hostile = "Where is my <img src=x onerror=\"document.title='taken'\"> bag? <script>document.title='taken'</script>"
    service.bring("1", text=hostile, name="<b>me</b>")
    page = begin(visit)
    claim(page, 1)
    expect(page.locator("#talk p").first).to_have_text(hostile)
    assert page.locator("#talk img, #talk script, #about b").count() == 0
    assert page.title() == "Agent desk · ashcloud care"


def test_axe_finds_nothing_grave_on_the_desk_and_in_its_dialogs(visit: Visit, service: Service) -> None:
    page = visit.open("/desk")
    expect(page.locator("#who-dialog")).to_be_visible()
    assert grave_faults(page) == []
    page.keyboard.press("Escape")
    page.close()
    service.bring("1")
    page = begin(visit)
    assert grave_faults(page) == []
    claim(page, 1)
    assert grave_faults(page) == []
    for key in "pnte?":
        page.keyboard.press(key)
        expect(page.locator("dialog[open]")).to_have_count(1)
        assert grave_faults(page) == []
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
    page.emulate_media(color_scheme="light")
    assert grave_faults(page) == []
