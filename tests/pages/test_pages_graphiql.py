"""GraphiQL in a browser, over a sandbox that is served: choose a vendor, ask, and read why a field is empty."""

import json
import subprocess
import sys

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.conftest import ROOT
from tests.pages.conftest import SCRIPT, Visit
from tests.pages.serving import Served

AS_READWELL = {"client": "readwell", "space": "ca/alder-creek", "purpose": "instruction"}


@pytest.fixture
def page(sandbox: Served, visit: Visit) -> Page:
    """GraphiQL as a sandbox shows it, ready to ask."""
    return opened(sandbox, visit)


def opened(served: Served, visit: Visit) -> Page:
    visit.page.goto(f"{served.url}/graphiql")
    expect(visit.page.locator(".graphiql-query-editor .view-line").first).to_be_visible()
    expect(visit.page.get_by_role("heading", name="Ready queries")).to_be_visible()
    return visit.page


def run(page: Page, ready: str) -> Locator:
    """Run a ready query by its button in the panel; gives what is said of the answer's errors."""
    page.get_by_role("button", name=ready, exact=True).click()
    page.get_by_role("button", name="Execute query").click()
    said = page.locator(".homeroom-withheld")
    expect(said).to_be_visible()
    return said


def answered(page: Page) -> Locator:
    """The answer as far as it is on the screen: the editor draws it some moments after it came."""
    return page.locator(".graphiql-response .view-lines")


def test_a_ready_query_gives_data_and_a_denial_is_explained_beside_it(page: Page) -> None:
    said = run(page, "A denial, explained")
    expect(said).to_contain_text("1 field was withheld")
    expect(said).to_contain_text("Student.birthDate Not granted")
    expect(said).to_contain_text("grant does not name this field")
    expect(said).to_contain_text("What to do: Ask")
    expect(said).to_contain_text("NOT_GRANTED")
    expect(said).to_contain_text("students.nodes.birthDate")
    expect(said).to_contain_text("student/demographics.read")
    expect(answered(page)).to_contain_text('"birthDate": null')
    expect(answered(page)).to_contain_text('"firstName"')


def test_the_same_query_as_another_vendor_is_answered_by_its_own_grant(page: Page) -> None:
    expect(run(page, "Grades of mathematics")).to_contain_text("Query.grades")
    page.get_by_label("Vendor").select_option("mathpath")
    expect(page.locator(".homeroom-scopes")).not_to_contain_text("student/demographics.read")
    expect(run(page, "Grades of mathematics")).to_contain_text("Nothing was withheld")
    expect(answered(page)).to_contain_text("Mathematics")
    said = run(page, "What there is to learn with")
    expect(answered(page)).to_contain_text("learningResourceType")
    expect(said).to_contain_text("Nothing was withheld")
    page.get_by_label("District").select_option("mn/loon-lake")
    expect(page.get_by_label("Purpose")).to_contain_text("instruction (no grant)")
    expect(page.get_by_text("mathpath has no grant here")).to_be_visible()
    expect(run(page, "Grades of mathematics")).to_contain_text("No grant")


@pytest.mark.parametrize("ready", ["Who is in which class", "Your grant, field by field", "What changed since"])
def test_what_was_granted_is_answered_whole(page: Page, ready: str) -> None:
    expect(run(page, ready)).to_contain_text("Nothing was withheld")


def test_a_record_is_asked_for_by_an_id_that_was_found_for_the_vendor(page: Page) -> None:
    page.get_by_role("button", name="One record by its id").click()
    expect(page.locator(".graphiql-query-editor .view-lines")).not_to_contain_text("an id from an answer")
    page.get_by_role("button", name="Execute query").click()
    expect(page.locator(".homeroom-withheld")).to_contain_text("Nothing was withheld")
    expect(answered(page)).to_contain_text('"lastSurname"')


def test_a_query_that_is_wrong_is_said_to_be_so_in_the_same_place(page: Page) -> None:
    page.get_by_role("button", name="New tab").click()
    page.locator(".graphiql-query-editor .monaco-editor").click()
    page.keyboard.type("{ student")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".homeroom-withheld")).to_contain_text("The query was not answered")


def test_threat_22_scripts_in_names_are_text(page: Page) -> None:
    script = SCRIPT.replace('"', "'")
    expect(page.get_by_text(script).first).to_be_visible()  # the vendor's own words
    expect(page.get_by_label("District")).to_contain_text(SCRIPT)
    expect(run(page, "A denial, explained")).to_contain_text(f"Ask {SCRIPT} Unified School District")
    expect(answered(page)).to_contain_text("<img src=x")
    assert page.locator("img").count() == 0
    assert page.title() == "GraphiQL · Homeroom"


def test_the_token_is_in_memory_alone(page: Page) -> None:
    run(page, "A denial, explained")
    page.wait_for_timeout(700)  # GraphiQL stores its tabs half a second after a change
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])")
    assert "Denial" in kept  # the query is kept
    assert "eyJ" not in kept
    assert SCRIPT[:8] not in kept  # and no answer is
    assert page.context.cookies() == []


def test_a_token_is_renewed_before_it_ends(sandbox: Served, visit: Visit) -> None:
    page = visit.page
    page.clock.install()
    page.goto(f"{sandbox.url}/graphiql")
    expect(page.get_by_role("heading", name="Scopes held")).to_be_visible()
    minted = f"{sandbox.url}/sandbox/token"
    assert visit.asked.count(minted) == 1
    with page.expect_response(minted) as renewed:
        page.clock.fast_forward("04:30")
    assert renewed.value.ok


def test_the_documentation_of_a_field_says_its_scope_category_and_sensitivity(page: Page) -> None:
    page.get_by_role("button", name="Show Documentation Explorer").click()
    for link in ("Query", "students", "StudentConnection", "nodes", "Student"):
        page.locator(".graphiql-doc-explorer").get_by_role("link", name=link, exact=True).first.click()
    line = "Scope student/demographics.read · CEDS 000033 · NDPA Demographics · sensitivity directory"
    expect(page.get_by_text(line).first).to_be_visible()
    page.locator(".graphiql-doc-explorer").get_by_role("link", name="birthDate", exact=True).click()
    expect(page.get_by_text(line).first).to_be_visible()


def test_it_works_by_keyboard(page: Page) -> None:
    def tab_to(wanted: Locator) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if wanted.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError(f"{wanted} is not reached by the tabulator key.")

    tab_to(page.get_by_label("Vendor"))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Vendor")).to_have_value("mathpath")
    tab_to(page.get_by_role("button", name="Grades of mathematics"))
    page.keyboard.press("Enter")
    tab_to(page.get_by_role("button", name="Execute query"))
    page.keyboard.press("Enter")
    expect(page.locator(".homeroom-withheld")).to_contain_text("Nothing was withheld")
    tab_to(page.locator(".homeroom-withheld"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_that_keeps_people_out(sandbox: Served, visit: Visit, axe: str, scheme: str) -> None:
    visit.page.emulate_media(color_scheme=scheme)
    run(opened(sandbox, visit), "A denial, explained")
    assert faults(visit.page, axe) == []
    visit.page.goto(sandbox.url)
    assert faults(visit.page, axe) == []


def faults(page: Page, axe: str) -> list[tuple[str, ...]]:
    """What axe-core finds serious or critical, GraphiQL's own left out."""
    page.evaluate(axe)
    return [
        (violation["id"], str(node["target"]), node["failureSummary"])
        for violation in page.evaluate("axe.run(document)")["violations"]
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"]
        # GraphiQL's own: a tab holds a button that closes it. Everything can be reached by keyboard nevertheless.
        if not (violation["id"] == "nested-interactive" and "graphiql-tab" in node["html"])
    ]


def test_a_real_server_takes_a_token_that_was_pasted(server: Served, visit: Visit, axe: str) -> None:
    page = opened(server, visit)
    expect(page.get_by_label("Vendor")).to_have_count(0)
    run(page, "A denial, explained")
    expect(page.locator(".homeroom-withheld")).to_contain_text("There is no token yet")
    page.get_by_label("Access token").fill("open sesame")
    page.get_by_role("button", name="Use this token").click()
    expect(page.get_by_text("This is no access token")).to_be_visible()
    page.get_by_label("Access token").fill(token(server))
    page.get_by_role("button", name="Use this token").click()
    expect(page.get_by_text("You run as readwell")).to_be_visible()
    expect(run(page, "A denial, explained")).to_contain_text("1 field was withheld")
    assert faults(page, axe) == []
    page.wait_for_timeout(700)
    assert "eyJ" not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert page.evaluate("localStorage.length") == 0  # of real data not even queries outlast the page
    page.get_by_role("button", name="Forget it").click()
    page.get_by_role("button", name="Execute query").click()
    expect(page.locator(".homeroom-withheld")).to_contain_text("There is no token yet")


def token(server: Served) -> str:
    """A token by the operator's own hand."""
    config = str(server.home / "homeroom.toml")
    command = [sys.executable, "-m", "app", "--config", config, "token", "readwell", "--space", "ca/alder-creek"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


def test_only_a_sandbox_gives_tokens_away(sandbox: Served, server: Served) -> None:
    given = httpx.post(f"{sandbox.url}/sandbox/token", json=AS_READWELL, timeout=60)
    assert given.status_code == 200
    assert given.headers["cache-control"] == "no-store"
    asked = {"query": "{ grant { client purpose } }"}
    header = {"authorization": f"Bearer {given.json()['access_token']}"}
    assert httpx.post(f"{sandbox.url}/graphql", json=asked, headers=header, timeout=60).json() == {
        "data": {"grant": {"client": "readwell", "purpose": "instruction"}}
    }
    assert httpx.post(f"{server.url}/sandbox/token", json=AS_READWELL, timeout=60).status_code == 404
    assert httpx.get(f"{server.url}/sandbox/vendors", timeout=60).status_code == 404


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        pytest.param({"host": "attacker.example"}, AS_READWELL, 403, id="by another name for this machine"),
        pytest.param({"sec-fetch-site": "cross-site"}, AS_READWELL, 403, id="from another site's page"),
        pytest.param({"content-type": "text/plain"}, AS_READWELL, 400, id="as a form of another site could"),
        pytest.param({}, AS_READWELL | {"client": "stranger"}, 400, id="as nobody"),
        pytest.param({}, AS_READWELL | {"space": "tx/grand-bend"}, 400, id="in no space"),
        pytest.param({}, AS_READWELL | {"purpose": "no purpose"}, 400, id="for no word"),
        pytest.param({}, AS_READWELL | {"scope": "student/ssn.read"}, 400, id="for more"),
        pytest.param({}, {"client": "x" * 5_000}, 400, id="at length"),
    ],
)
def test_threat_21_nobody_else_is_given_a_sandboxs_token(
    sandbox: Served, headers: dict[str, str], body: dict[str, str], status: int
) -> None:
    sent = {"content-type": "application/json"} | headers
    answer = httpx.post(f"{sandbox.url}/sandbox/token", content=json.dumps(body), headers=sent, timeout=60)
    assert answer.status_code == status
    assert answer.json()["error_description"].endswith((".", "}"))
    assert "access_token" not in answer.text


def test_threat_4_the_schema_that_the_page_reads_is_the_one_that_a_vendor_is_told(page: Page, sandbox: Served) -> None:
    told = httpx.post(f"{sandbox.url}/sandbox/token", json=AS_READWELL, timeout=60).json()["access_token"]
    query = '{ __type(name: "Student") { fields { name } } query: __type(name: "Query") { fields { name } } }'
    answer = httpx.post(
        f"{sandbox.url}/graphql", json={"query": query}, headers={"authorization": f"Bearer {told}"}, timeout=60
    )
    names = {field["name"] for kind in answer.json()["data"].values() for field in kind["fields"]}
    assert not {"sourceKey", "_service", "_entities"} & names
    page.get_by_role("button", name="Show Documentation Explorer").click()
    for link in ("Query", "students", "StudentConnection", "nodes", "Student"):
        page.locator(".graphiql-doc-explorer").get_by_role("link", name=link, exact=True).first.click()
    shown = page.locator(".graphiql-doc-explorer-field-name").all_inner_texts()
    assert set(shown) <= names
    assert "birthDate" in shown
    assert "sourceKey" not in shown
