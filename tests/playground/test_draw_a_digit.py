"""Draw a digit: what the kernel answers, and all of it in a real browser."""

import numpy as np
import pytest

from playground.digit_networks import KINDS, example_digits, load_network
from playground.digit_pictures import on_pad
from playground.draw_a_digit import NOTHING, DrawADigit
from tests.playground.browser import (
    errors_in_cells,
    new_page,
    open_notebook,
    run_all,
    serious_findings,
)
from tests.playground.handwriting import HANDS, draw
from tests.playground.test_drawing_pad import from_browser


def drawn(digit):
    return on_pad(digit, 112).tobytes()


class TestAnswers:
    def test_nothing_drawn(self):
        widget = DrawADigit()
        assert (widget.answers, widget.seen, widget.words) == ({}, b"", NOTHING)
        assert widget.reads("cnn") is None

    def test_a_message_from_the_browser_is_answered(self):
        digits, labels = example_digits()
        widget = DrawADigit()
        from_browser(widget, picture=drawn(digits[0]), asked=1)
        assert widget.answered == 1
        for kind in KINDS:
            expected = load_network(kind)(digits[:1] / np.float32(255))[0]
            assert widget.reads(kind) == labels[0]
            assert np.allclose(widget.answers[kind], expected, atol=1e-3)
        assert widget.words.startswith(f"Both read {labels[0]}: MLP {labels[0]} (")
        from_browser(widget, picture=bytes(112 * 112), asked=2)
        assert (widget.answers, widget.words, widget.answered) == ({}, NOTHING, 2)

    def test_one_message_goes_back(self, monkeypatch):
        """Everything at once, or the bars and the digit would not fit together."""
        sent = []
        widget = DrawADigit()
        monkeypatch.setattr(widget, "send_state", lambda key=None: sent.append(set(key)))
        from_browser(widget, picture=drawn(example_digits()[0][0]), asked=1)
        assert {"seen", "answers", "words", "answered"} in sent

    def test_a_shift_moves_what_they_see(self):
        digit = example_digits()[0][2]
        widget = DrawADigit()
        widget.load(on_pad(digit, 112))
        before = np.frombuffer(widget.seen, np.uint8).reshape(28, 28)
        from_browser(widget, right=4, asked=1)
        after = np.frombuffer(widget.seen, np.uint8).reshape(28, 28)
        assert np.array_equal(after[:, 4:], before[:, :-4])

    def test_the_cnn_bears_a_shift_that_the_mlp_does_not(self):
        digits, labels = example_digits()
        right = dict.fromkeys(KINDS, 0)
        widget = DrawADigit(right=3)
        for digit, label in zip(digits, labels, strict=True):
            widget.load(on_pad(digit, 112))
            for kind in KINDS:
                right[kind] += widget.reads(kind) == label
        assert right["cnn"] > right["mlp"] + 5

    def test_words_for_disagreement_doubt_and_lost_ink(self):
        said = set()
        for shift in (4, 10):
            widget = DrawADigit(right=shift)
            for digit in example_digits()[0]:
                widget.load(on_pad(digit, 112))
                said.add(widget.words)
        assert any("They disagree: MLP" in words for words in said)
        assert any("cannot decide." in words for words in said)
        assert any("of the ink lies outside the field." in words for words in said)

    def test_examples_come_in_turn_and_say_their_label(self):
        widget = DrawADigit()
        labels = [widget.take_example() for _ in range(5)]
        assert labels == example_digits()[1][:5].tolist()
        assert f"An example from the test set, labelled {labels[-1]}." in widget.words

    def test_a_broken_picture_gets_words(self):
        widget = DrawADigit()
        from_browser(widget, picture=b"abc", asked=1)
        assert widget.words == (
            "This drawing cannot be read: a drawing of 3 bytes; expected 12544, for 112 × 112 "
            "pixels."
        )


def settled(page):
    """Wait until the last stroke is answered; return what the MLP and the CNN read."""
    page.evaluate("() => new Promise(f => requestAnimationFrame(() => requestAnimationFrame(f)))")
    page.wait_for_selector(".pg-answers[aria-busy=false]")
    return {kind: page.locator(f".pg-read[data-network={kind}]").inner_text() for kind in KINDS}


@pytest.fixture(scope="module")
def opened(browser, lab):
    page, seen = new_page(browser)
    open_notebook(page, lab, "draw_a_digit")
    run_all(page)
    yield page, seen
    page.context.close()


@pytest.mark.full
class TestInTheBrowser:
    @pytest.fixture
    def page(self, opened):
        page, _ = opened
        page.get_by_role("button", name="Back to the middle").click()
        page.get_by_role("button", name="Clear").click()
        settled(page)
        return page

    def test_nothing_drawn_has_words(self, page, pictures):
        assert page.locator(".pg-status").inner_text() == NOTHING
        assert settled(page) == {"mlp": "–", "cnn": "–"}
        page.locator(".playground").screenshot(path=pictures / "draw_a_digit_nothing.png")

    def test_twenty_digits_drawn_with_the_mouse(self, page, pictures):
        canvas = page.get_by_label("Draw a digit").locator("canvas.pg-pad")
        right = dict.fromkeys(KINDS, 0)
        for hand, strokes in HANDS.items():
            for digit in range(10):
                page.get_by_role("button", name="Clear").click()
                draw(page, canvas, strokes[digit])
                read = settled(page)
                print(hand, digit, read)
                for kind in KINDS:
                    right[kind] += read[kind] == str(digit)
            page.locator(".playground").screenshot(path=pictures / f"draw_a_digit_{hand}.png")
        print(right)
        assert right["cnn"] >= 18

    def test_it_answers_while_one_draws(self, page):
        """Before the mouse is let go."""
        canvas = page.locator("canvas.pg-pad")
        box = canvas.bounding_box()
        page.mouse.move(box["x"] + 140, box["y"] + 50)
        page.mouse.down()
        page.mouse.move(box["x"] + 140, box["y"] + 230, steps=10)
        assert settled(page)["cnn"] == "1"
        page.mouse.up()

    def test_by_keyboard_alone(self, page):
        page.get_by_role("button", name="Clear").focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Shift+Tab")  # past Undo
        assert page.evaluate("document.activeElement.className") == "pg-pad"
        for _ in range(4):
            page.keyboard.press("Shift+ArrowUp")
        page.keyboard.press("Space")
        for _ in range(8):
            page.keyboard.press("Shift+ArrowDown")
        page.keyboard.press("Space")
        assert settled(page)["cnn"] == "1"
        # The keys were the pad's own: JupyterLab has chosen no other cell for them.
        assert page.evaluate("document.activeElement.className") == "pg-pad"
        page.keyboard.press("Control+z")
        assert settled(page)["cnn"] == "–"

    def test_shift_slider_by_keyboard(self, page, pictures):
        page.get_by_role("button", name="Example from the test set").click()
        page.wait_for_function(
            "() => document.querySelector('.pg-read[data-network=cnn]').textContent !== '–'"
        )
        slider = page.get_by_label("Move right")
        slider.focus()
        for _ in range(10):
            page.keyboard.press("ArrowRight")
        settled(page)
        # JupyterLab, too, has a use for this key.
        assert slider.evaluate("slider => slider === document.activeElement")
        assert slider.get_attribute("aria-valuetext") == "10 right pixels"
        assert "ink lies outside" in page.locator(".pg-status").inner_text()
        page.locator(".playground").screenshot(path=pictures / "draw_a_digit_moved.png")

    def test_no_serious_finding_no_error_no_failed_request(self, page, opened):
        _, seen = opened
        assert serious_findings(page) == []
        assert errors_in_cells(page) == []
        assert seen.problems() == []

    def test_dark(self, browser, lab, pictures):
        page, seen = new_page(browser, dark=True)
        open_notebook(page, lab, "draw_a_digit", dark=True)
        run_all(page)
        draw(page, page.locator("canvas.pg-pad"), HANDS["first"][5])
        assert settled(page)["cnn"] == "5"
        assert "pg-dark" in page.locator(".playground").get_attribute("class")
        assert serious_findings(page) == []
        page.locator(".playground").screenshot(path=pictures / "draw_a_digit_dark.png")
        assert seen.problems() == []
        page.context.close()

    def test_a_stopped_kernel_has_words(self, browser, lab):
        page, _ = new_page(browser)
        open_notebook(page, lab, "draw_a_digit")
        run_all(page)
        page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        draw(page, page.locator("canvas.pg-pad"), HANDS["first"][1])
        page.get_by_text("No answer: the kernel is busy or has stopped.").first.wait_for()
        page.context.close()
