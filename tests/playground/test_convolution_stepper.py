"""The convolution stepper: its numbers against NumPy's and Keras's, and its page in JupyterLab."""

import itertools
import re

import numpy as np
import pytest
from traitlets import TraitError

from playground.convolution_stepper import KERNELS, ConvolutionStepper
from playground.convolution_stepper import pictures as small_pictures
from playground.modules import script
from tests.playground import browser as at

STAGE = ".pg-step-stage"
TOLD = ".pg-step-told"


def zeros_around(size, span, stride, padding):
    """Zeros before and after an axis; Keras's rule for "same", told in its documentation."""
    if padding == "valid":
        return 0, 0
    if padding != "same":
        return padding, padding
    places = -(-size // stride)
    zeros = max((places - 1) * stride + span - size, 0)
    return zeros // 2, zeros - zeros // 2


def by_numpy(image, kernel, stride, padding, dilation):
    """The feature map, from every window of the padded picture at once."""
    image, kernel = np.array(image, "float64"), np.array(kernel, "float64")
    span = (len(kernel) - 1) * dilation + 1
    padded = np.pad(image, [zeros_around(size, span, stride, padding) for size in image.shape])
    if min(padded.shape) < span:
        return np.empty((0, 0))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (span, span))
    chosen = windows[::stride, ::stride, ::dilation, ::dilation]
    return np.einsum("rcij,ij->rc", chosen, kernel)


def settings():
    """Many settings: pictures of several sizes, random kernels, everything that a menu offers."""
    dice = np.random.default_rng(1)
    for side, stride, padding, dilation in itertools.product(
        (1, 2, 3, 4, 5), (1, 2, 3, 4), ("valid", "same", 1, 3), (1, 2, 3)
    ):
        yield {
            "image": dice.integers(0, 10, size=dice.integers(4, 13, size=2)).tolist(),
            "kernel": dice.normal(size=(side, side)).round(3).tolist(),
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
        }


# ---------------------------------------------------------------- Python


def test_the_feature_map_is_that_of_numpy():
    stepper = ConvolutionStepper()
    for each in list(settings())[::5]:
        stepper.set_trait("image", each["image"])
        for name, value in each.items():
            setattr(stepper, name, value)
        expected = by_numpy(**each)
        if expected.size:
            np.testing.assert_allclose(stepper.output, expected, atol=1e-4)
        else:
            with pytest.raises(ValueError, match="choose a smaller kernel"):
                _ = stepper.output


def test_arrays_are_taken_and_come_back_as_what_javascript_would_send():
    stepper = ConvolutionStepper(image=np.eye(5), kernel=np.full((2, 2), 0.5))
    assert stepper.image[0] == [1, 0, 0, 0, 0]
    assert type(stepper.image[0][0]) is int  # 1.0 in the browser is 1 when it comes back
    assert stepper.kernel == [[0.5, 0.5], [0.5, 0.5]]
    stepper.padding = np.int64(2)
    assert stepper.padding == 2
    stepper.padding = 0
    assert stepper.padding == "valid"
    stepper.position = np.array([1, 2])
    assert stepper.position == (1, 2)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"image": np.zeros((29, 3))}, r"image has shape \(29, 3\), expected 1 … 28 rows"),
        ({"image": [[1, 2], [3]]}, "image is no table of numbers"),
        ({"image": [[np.nan]]}, "image has nan or inf"),
        ({"kernel": [[1, 2]]}, r"kernel has shape \(1, 2\), expected a square"),
        ({"kernel": np.zeros((8, 8))}, r"kernel has shape \(8, 8\)"),
        ({"padding": "full"}, "padding is 'full', expected 'valid', 'same' or a number"),
        ({"padding": 7}, "padding is 7"),
        ({"padding": True}, "padding is True"),
        ({"stride": 0}, "stride"),
        ({"position": (-1, 0)}, "position is"),
        ({"position": 3}, "position is 3, expected a pair"),
    ],
)
def test_wrong_values_get_one_sentence(wrong, words):
    with pytest.raises(TraitError, match=words):
        ConvolutionStepper(**wrong)


def test_what_can_be_chosen_fits_the_page():
    for name, grid in small_pictures().items():
        values = np.array(grid)
        assert values.ndim == 2, name
        assert max(values.shape) <= 14, name
        assert set(np.unique(values)) <= set(range(10)), name
    for name, kernel in KERNELS.items():
        assert np.shape(kernel)[0] == np.shape(kernel)[1] <= 5, name
    # Digits are digits: something is drawn, and there is paper around it.
    assert all(0.1 < np.mean(np.array(small_pictures()[f"digit {n}"]) > 4) < 0.6 for n in (3, 4, 7))


# ---------------------------------------------------------------- the browser


@pytest.fixture(scope="module")
def page(lab, browser):
    """The notebook of the stepper, run."""
    page, seen = at.new_page(browser)
    page.set_default_timeout(90_000)
    at.open_notebook(page, lab, "convolution_stepper")
    at.run_all(page)
    page.wait_for_function(f"document.querySelector('{TOLD}')?.textContent.includes('Place')")
    yield page
    # Nothing went wrong in all of these tests, and nothing was asked from elsewhere.
    assert at.errors_in_cells(page) == []
    assert seen.problems() == []
    page.context.close()


@pytest.fixture
def fresh(page):
    """The same page with the settings of the beginning."""
    if page.get_by_role("button", name="Edit pixels").get_attribute("aria-pressed") == "true":
        page.get_by_role("button", name="Edit pixels").click()
    for label, value in (
        ("Picture", "digit 7"), ("Kernel", "right minus left"), ("Size F", "3"),
        ("Stride S", "1"), ("Padding", "valid"), ("Dilation d", "1"),
    ):  # fmt: skip
        setting(page, label, value)
    page.get_by_role("button", name="Start again").click()
    return page


def setting(page, label, value):
    page.get_by_role("group", name="Settings").get_by_label(label, exact=True).select_option(value)


def told(page):
    return page.locator(TOLD).inner_text()


def sum_told(page):
    """The place and the number at the end of the line of words."""
    found = re.search(r"row (\d+), column (\d+): .* = (−?[\d.]+)\.", told(page))
    return int(found[1]) - 1, int(found[2]) - 1, float(found[3].replace("−", "-"))


def python_says(page, expression):
    """What a new cell of the notebook prints."""
    return page.evaluate(
        """async expression => {
          const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
          let text = "";
          const future = kernel.requestExecute({ code: `print(${expression})` });
          future.onIOPub = message => { text += message.content.text ?? ""; };
          await future.done;
          return text.trim();
        }""",
        expression,
    )


@pytest.mark.full
def test_javascript_and_numpy_agree(browser):
    page = browser.new_page()
    module = script("convolution_arithmetic.js") + "\nexport { featureMap };\n"
    cases = list(settings())
    found = page.evaluate(
        """async ([module, cases]) => {
          const address = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
          const { featureMap } = await import(address);
          return cases.map(({ image, kernel, ...rest }) => featureMap(image, kernel, rest));
        }""",
        [module, cases],
    )
    page.close()
    sizes = set()
    for each, numbers in zip(cases, found, strict=True):
        expected = by_numpy(**each)
        if expected.size:
            np.testing.assert_allclose(np.array(numbers), expected, atol=1e-9, err_msg=str(each))
        else:
            assert not np.array(numbers).size, each
        sizes.add(expected.shape)
    assert len(sizes) > 30
    assert (0, 0) in sizes  # windows that do not fit were among them


@pytest.mark.full
def test_stepped_by_keyboard_every_number_is_numpys(fresh):
    page = fresh
    image = small_pictures()["digit 7"]
    expected = by_numpy(image, KERNELS["right minus left"], 1, "valid", 1)
    page.locator(STAGE).focus()
    keys = ["ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft", "Enter", "Enter",
            "Shift+Enter", "ArrowUp", "End", "ArrowLeft", "Home"]  # fmt: skip
    places = []
    for key in keys:
        page.keyboard.press(key)
        row, column, total = sum_told(page)
        assert total == expected[row, column], key
        places.append((row, column))
    assert places == [(0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 2), (2, 3), (2, 2), (1, 2),
                      (9, 9), (9, 8), (0, 0)]  # fmt: skip
    page.keyboard.press("ArrowUp")
    assert "no further" in told(page)
    # What was visited is filled in, and nothing else; the kernel of the notebook knows all of it.
    filled = page.get_by_role("img", name=re.compile("^Output of 10 rows and 10 columns, 9 of 100"))
    filled.wait_for()
    assert python_says(page, "stepper.position") == "(0, 0)"
    visited = {10 * row + column for row, column in places}
    assert python_says(page, "sorted(stepper.visited)") == str(sorted(visited))
    # JupyterLab's own shortcuts were not pressed along with them.
    assert page.locator(".jp-Notebook .jp-Cell").count() == 5


@pytest.mark.full
def test_settings_fill_in_the_formula_and_the_output(fresh):
    page = fresh
    formula = page.get_by_role("group", name="Size of the output")
    assert "⌈(H − F + 1)/S⌉ = ⌈(12 − 3 + 1)/1⌉ = 10" in formula.inner_text()
    setting(page, "Stride S", "3")
    setting(page, "Dilation d", "2")
    text = formula.inner_text()
    assert "F′ = (F − 1)·d + 1 = (3 − 1)·2 + 1 = 5" in text
    assert "⌈(H − F′ + 1)/S⌉ = ⌈(12 − 5 + 1)/3⌉ = ⌈2.67⌉ = 3" in text
    setting(page, "Padding", "same")
    assert "⌈H/S⌉ = ⌈12/3⌉ = 4" in formula.inner_text()
    assert "max((4 − 1)·3 + 5 − 12, 0) = 2, 1 before and 1 after" in formula.inner_text()
    page.get_by_role("button", name="Fill all").click()
    shown = page.locator(".pg-step-grid[role=img] > span").all_inner_texts()
    image = small_pictures()["digit 7"]
    expected = by_numpy(image, KERNELS["right minus left"], 3, "same", 2)
    assert [float(one.replace("−", "-")) for one in shown] == expected.ravel().tolist()
    assert python_says(page, "stepper.output.astype(int).tolist()") == str(
        expected.astype(int).tolist()
    )
    setting(page, "Padding", "valid")
    setting(page, "Size F", "5")
    setting(page, "Dilation d", "3")
    assert "The window spans 13 pixels and the picture with its zeros has 12" in told(page)
    assert page.get_by_role("button", name="Play").is_disabled()


@pytest.mark.full
def test_kernel_and_pixels_are_edited_by_keyboard(fresh):
    page = fresh
    setting(page, "Kernel", "1 … 4")
    corner = page.get_by_label("Weight in row 2, column 1")
    corner.fill("1/3")
    corner.press("Enter")
    assert corner.input_value() == "1/3"
    last = page.get_by_label("Weight in row 2, column 2")
    last.fill("four")
    last.press("Enter")
    assert "“four” is no number for a weight" in told(page)
    assert last.get_attribute("aria-invalid") == "true"
    last.fill("-2,5")
    last.press("Enter")
    page.get_by_role("button", name="Edit pixels").click()
    page.locator(STAGE).focus()
    for key in ("Home", "ArrowRight", "ArrowDown", "6", "Escape"):
        page.keyboard.press(key)
    assert sum_told(page)[2] == 6 * -2.5
    assert python_says(page, "stepper.image[1][1], stepper.kernel[1]") == (
        "6 [0.3333333333333333, -2.5]"
    )
    assert page.get_by_role("group", name="Settings").get_by_label("Picture").input_value() == "own"


@pytest.mark.full
def test_what_is_set_from_code_is_seen(fresh):
    page = fresh
    code = "stepper.set_trait('image', [[1,2,3],[4,5,6],[7,8,9]]) or "
    code += "setattr(stepper, 'kernel', [[1,2],[3,4]]) or setattr(stepper, 'position', (7, 1))"
    python_says(page, code)
    page.wait_for_function(f"document.querySelector('{TOLD}').textContent.includes('of 4')")
    # A place that does not exist becomes one that does.
    row, column, total = sum_told(page)
    assert total == [[37, 47], [67, 77]][row][column]
    page.wait_for_timeout(300)
    assert eval(python_says(page, "stepper.position")) == (row, column)


@pytest.mark.full
def test_it_plays_to_the_end_and_stops(fresh):
    page = fresh
    setting(page, "Stride S", "4")
    page.get_by_label("speed").fill("20")
    live = page.locator(TOLD)
    page.get_by_role("button", name="Play").click()
    assert live.get_attribute("aria-live") == "off"  # or a listener would drown
    page.get_by_role("button", name="Play").wait_for()
    assert live.get_attribute("aria-live") == "polite"
    assert "This is the last place. Place 9 of 9" in told(page)


@pytest.mark.full
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_serious(fresh, dark, pictures):
    page = fresh
    theme = "JupyterLab Dark" if dark else "JupyterLab Light"
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme
    )
    page.wait_for_selector(
        f"body[data-jp-theme-light={'false' if dark else 'true'}]", state="attached"
    )
    setting(page, "Padding", "same")
    page.locator(STAGE).focus()
    for _ in range(16):
        page.keyboard.press("Enter")
    page.locator(".playground").screenshot(path=pictures / f"stepper-dark-{dark}.png")
    assert at.serious_findings(page) == []
