"""What people do at the hub, in a browser: what they click, and what they wait to see."""

import re
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect

from tests.hub.demo_hub import DemoHub
from tests.playground.browser import new_page

SECONDS = 180
_MILLISECONDS = SECONDS * 1000
# The notebook in front: others stay open behind it.
PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)"
NOTEBOOK = f"{PANEL} .jp-Notebook"
expect.set_options(timeout=_MILLISECONDS)


class Person:
    """Somebody with an account, and a browser of their own.

    Parameters
    ----------
    browser : Browser
        Chromium.
    hub : DemoHub
        The hub.
    name : str
        Their account.
    pictures : pathlib.Path
        Where pictures of the screen are kept.
    """

    def __init__(self, browser: Browser, hub: DemoHub, name: str, pictures: Path) -> None:
        self.hub, self.name, self.pictures = hub, name, pictures
        self.page, self.seen = new_page(browser)
        self.page.set_default_timeout(_MILLISECONDS)

    def close(self) -> None:
        """Close the browser."""
        self.page.context.close()

    def picture(self, what: str, page: Page | None = None) -> Path:
        """Keep a picture of what is to be seen."""
        path = self.pictures / f"{self.name}_{what}.png"
        (page or self.page).screenshot(path=path)
        return path

    def sign_in(self) -> None:
        """Sign in, as if for the first time today, and wait for one's server."""
        self.page.goto("about:blank")
        self.page.context.clear_cookies()
        self.page.goto(f"{self.hub.address}/")
        self.page.get_by_label("Username").fill(self.name)
        self.page.get_by_label("Password").fill(self.hub.settings.password)
        self.picture("signs_in")
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"**/user/{self.name}/lab**")

    def menu(self, *names: str) -> None:
        """Choose from JupyterLab's menus."""
        self.page.locator(".lm-MenuBar-item", has_text=names[0]).first.click()
        for name in names[1:]:
            self.page.locator(".lm-Menu-item", has_text=name).first.click()


class Student(Person):
    """A student: everything begins at the list of lessons."""

    def _list(self, which: str) -> Locator:
        return self.page.locator(f"#{which}_assignments_list > .list_item")

    def sees(self, which: str, lesson: str) -> Locator:
        """Row of the list: released, fetched or submitted."""
        row = self._list(which).filter(has_text=lesson).first
        expect(row).to_be_visible()
        return row

    def to_list(self) -> None:
        """Bring the list of lessons to the front."""
        self.page.locator(".lm-TabBar-tab", has_text="Assignments").first.click()

    def fetch(self, lesson: str) -> None:
        """Fetch a lesson."""
        self.sees("released", lesson).get_by_role("button", name="Fetch").click()
        self.sees("fetched", lesson)

    def open(self, lesson: str) -> None:
        """Open a lesson's notebook, and wait for its kernel."""
        row = self.sees("fetched", lesson)
        row.locator(".assignment-notebooks-link").click()
        row.locator(".nested_list_item .item_name a").first.click()
        self.page.wait_for_selector(f"{NOTEBOOK} .jp-Cell")
        self.kernel_is_idle()

    def kernel_is_idle(self) -> None:
        """Wait until there is a kernel, and it has nothing to do."""
        expect(self.page.locator("#jp-main-statusbar")).to_contain_text(re.compile(r"\| Idle"))

    def cell(self, holding: str) -> Locator:
        """The cell whose text holds these words."""
        return self.page.locator(f"{NOTEBOOK} .jp-Cell", has_text=holding).first

    def outputs(self, holding: str) -> Locator:
        """The first output that says these words."""
        return self.page.locator(f"{NOTEBOOK} .jp-OutputArea-output", has_text=holding).first

    def write(self, holding: str, text: str) -> None:
        """Write an answer into a code cell."""
        cell = self.cell(holding)
        cell.scroll_into_view_if_needed()
        cell.locator(".cm-content").fill(text)

    def write_words(self, holding: str, text: str) -> None:
        """Write an answer into a cell of text."""
        cell = self.cell(holding)
        cell.scroll_into_view_if_needed()
        cell.dblclick()
        cell.locator(".cm-content").fill(text)

    def run_all(self) -> None:
        """Run all cells, and wait until the last one has its number."""
        self.menu("Run", "Run All Cells")
        prompts = self.page.locator(f"{NOTEBOOK} .jp-CodeCell .jp-InputPrompt")
        expect(prompts.last).to_have_text(re.compile(r"\[\d+\]:"))
        self.kernel_is_idle()

    def run_first_code_cell(self) -> None:
        """Run the first cell of code, and wait until it has its number."""
        cell = self.page.locator(f"{NOTEBOOK} .jp-CodeCell").first
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")
        expect(cell.locator(".jp-InputPrompt")).to_have_text("[1]:")

    def stop_server(self) -> None:
        """Stop one's server from the hub's home page."""
        self.page.goto(f"{self.hub.address}/hub/home")
        self.page.get_by_role("button", name="Stop My Server").click()
        expect(self.page.get_by_role("button", name="Start My Server")).to_be_visible()

    def save(self) -> None:
        """Save the notebook."""
        self.menu("File", "Save Notebook")
        expect(self.page.locator(".jp-mod-dirty")).to_have_count(0)

    def validate(self) -> str:
        """Press Validate above the notebook; return what it says."""
        self.page.locator(f"{PANEL} .validate-button").first.click()
        dialog = self.page.locator(".jp-Dialog")
        expect(dialog).to_be_visible()
        said = dialog.inner_text()
        self.picture("validates")
        dialog.get_by_role("button", name="Ok").click()
        return said

    def submit(self, lesson: str) -> None:
        """Hand a lesson in."""
        self.to_list()
        self.sees("fetched", lesson).get_by_role("button", name="Submit").click()
        self.sees("submitted", lesson)

    def fetch_feedback(self, lesson: str) -> Path:
        """Fetch feedback; return the page's path, from the home on."""
        self.to_list()
        with self.page.expect_response("**/assignments?course_id=**"):
            self.page.locator("#refresh_assignments_list").click()
        expect(self.page.get_by_text("(feedback available to fetch)").first).to_be_visible()
        row = self.sees("submitted", lesson)
        row.get_by_role("button", name="Fetch Feedback").click()
        expect(self.page.get_by_text("(view feedback)").first).to_be_visible()
        home = self.hub.state / "homes" / self.name
        return next((home / lesson / "feedback").rglob("*.html")).relative_to(home)

    def read(self, path: Path) -> Page:
        """Read a page of feedback in a tab of its own."""
        tab = self.page.context.new_page()
        self.seen.watch(tab)
        tab.goto(f"{self.hub.address}/user/{self.name}/files/{path}")
        return tab


class Instructor(Person):
    """An instructor, in the formgrader."""

    def formgrader(self, where: str = "") -> None:
        """Open the formgrader in the whole window."""
        self.page.goto(f"{self.hub.address}/user/{self.name}/formgrader/{where}")

    def press(self, lesson_or_student: str, column: str) -> str:
        """Press a button in a row of a table; return what the dialog says when it is done."""
        row = self.page.locator("tbody tr", has_text=lesson_or_student).first
        expect(row).to_be_visible()
        row.locator(f"td.{column} a").first.click()
        dialog = self.page.locator(".modal.in, .modal.show").first
        expect(dialog).to_be_visible()
        said = dialog.inner_text()
        dialog.locator(".close, [data-dismiss='modal'], [data-bs-dismiss='modal']").first.click()
        expect(dialog).to_be_hidden()
        expect(self.page.locator(".modal-backdrop")).to_have_count(0)
        return said

    def mark(self, answer: str, points: float, comment: str) -> None:
        """Mark a free text of the submission that is open, with a comment."""
        # Until the page has heard of the marks so far, it would overwrite what is typed.
        for kind in ("input.extra-credit", "textarea.comment"):
            expect(self.page.locator(f"{kind}:not([placeholder])")).to_have_count(0)
        for field, what, text in (
            (f"input#{answer}", "grade", str(points)),
            (f"textarea#{answer}-comment", "comment", comment),
        ):
            with self.page.expect_response(
                lambda reply, what=what: (
                    f"/api/{what}/" in reply.url and reply.request.method == "PUT" and reply.ok
                )
            ):
                self.page.locator(field).fill(text)
                self.page.locator(field).blur()

    def next(self) -> None:
        """Go on to the next submission."""
        with self.page.expect_navigation():
            self.page.locator("li.next a").first.click()
