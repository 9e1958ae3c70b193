"""The notebooks, the pages of their own, and that all of it runs with no network."""

import json
import os
import subprocess
import sys

import nbformat
import pytest

from playground import __main__ as pages
from playground.build import HERE, built, stale
from tests.conftest import ROOT
from tests.playground.browser import (
    chromium,
    new_page,
    open_notebook,
    playground_pages,
    run_all,
    serious_findings,
)
from tests.playground.handwriting import HANDS, draw
from tests.playground.test_draw_a_digit import settled

NAMES = sorted(path.stem for path in (HERE / "texts").glob("*.py"))


class TestNotebooks:
    @pytest.mark.parametrize("name", NAMES)
    def test_fresh_valid_and_without_outputs(self, name):
        path = HERE / f"{name}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        assert path.read_text(encoding="utf-8") == built(HERE / "texts" / f"{name}.py")
        assert not any(cell.get("outputs") for cell in notebook.cells)
        assert notebook.cells[0].source.startswith("# ")
        assert path.stat().st_size < 20_000

    def test_every_notebook_has_a_text(self):
        assert sorted(path.stem for path in HERE.glob("*.ipynb")) == NAMES
        assert stale() == []

    def test_a_changed_text_is_seen(self, tmp_path):
        (tmp_path / "texts").mkdir()
        text = tmp_path / "texts" / "one.py"
        text.write_text("# %% [markdown]\n# # One\n")
        assert stale(tmp_path) == [tmp_path / "one.ipynb"]
        (tmp_path / "one.ipynb").write_text(built(text))
        assert stale(tmp_path) == []
        text.write_text("# %% [markdown]\n# # Two\n")
        assert stale(tmp_path) == [tmp_path / "one.ipynb"]


class TestCommand:
    def test_a_page_that_is_not_there(self, capsys):
        assert pages.main(["draw_a_cat"]) == 1
        assert "there is no page 'draw_a_cat'; expected one of " in capsys.readouterr().err

    @pytest.mark.parametrize("port", ["99999", "-1"])
    def test_a_port_that_cannot_be(self, port, capsys):
        assert pages.main([f"--port={port}"]) == 1
        assert "choose another one" in capsys.readouterr().err

    def test_a_port_that_is_taken(self, capsys):
        import socket

        with socket.socket() as taken:
            taken.bind((pages.ADDRESS, 0))
            taken.listen()
            assert pages.main(["--port", str(taken.getsockname()[1])]) == 1
        assert "cannot be used" in capsys.readouterr().err

    @pytest.mark.parametrize("module", ["playground", "playground.build",
                                        "playground.make_digit_models"])  # fmt: skip
    def test_help_has_an_example(self, module):
        done = subprocess.run(
            [sys.executable, "-m", module, "--help"],
            capture_output=True, text=True, cwd=ROOT, check=True,
        )  # fmt: skip
        assert "Example: " in done.stdout


@pytest.fixture(scope="module")
def served(tmp_path_factory, with_chromium):
    """The pages, and a chromium beside them."""
    folder = tmp_path_factory.mktemp("voila")
    with playground_pages(folder / "pages") as server, chromium(folder, server) as browser:
        yield server, browser


@pytest.mark.full
class TestVoila:
    def test_the_list_shows_the_notebooks_and_nothing_else(self, served, pictures):
        server, browser = served
        page, _ = new_page(browser)
        page.goto(f"{server.address}/?token={server.token}")
        for name in NAMES:
            page.get_by_text(f"{name}.ipynb").first.wait_for()
        page.screenshot(path=pictures / "voila_list.png")
        assert page.get_by_text("texts").count() == 0
        page.context.close()

    def test_a_page_without_code_answers(self, served, pictures):
        server, browser = served
        page, seen = new_page(browser)
        page.goto(f"{server.address}/voila/render/draw_a_digit.ipynb?token={server.token}")
        page.wait_for_selector(".playground canvas.pg-pad")
        assert page.get_by_text("import DrawADigit").count() == 0
        assert page.locator("a[href$='.ipynb']").count() == 0  # they would lead nowhere
        draw(page, page.locator("canvas.pg-pad"), HANDS["first"][3])
        assert settled(page)["cnn"] == "3"
        page.screenshot(path=pictures / "voila_draw_a_digit.png", full_page=True)
        assert serious_findings(page) == []
        assert seen.problems() == []
        page.context.close()

    def test_without_the_token_nothing_is_shown(self, served):
        server, browser = served
        page, _ = new_page(browser)
        answer = page.goto(f"{server.address}/voila/render/draw_a_digit.ipynb")
        assert answer.status >= 400 or page.locator(".playground").count() == 0
        page.context.close()


@pytest.mark.full
def test_there_was_no_network(browser, lab):
    """Everything above ran in a room with no way out: the server, its kernels and the browser."""
    if not lab.apart:
        pytest.skip("network namespaces are not available here (listed in tests/README.md)")
    source = (
        "import json\n"
        "from tests.notebooks.offline import network_is_blocked\n"
        "print(json.dumps({'blocked': network_is_blocked()}))"
    )
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, lab.folder / "way_out.ipynb")
    page, _ = new_page(browser)
    open_notebook(page, lab, "way_out")
    run_all(page, widgets=0)
    output = page.locator(".jp-OutputArea-output").first
    output.wait_for()
    assert json.loads(output.inner_text()) == {"blocked": True}
    reached = page.evaluate(
        "() => fetch('http://192.0.2.1/', { mode: 'no-cors' }).then(() => true, () => false)"
    )
    assert reached is False
    ours = os.readlink("/proc/self/ns/net")
    assert os.readlink(f"/proc/{lab.process.pid}/ns/net") != ours
    page.context.close()
