"""See inside: maps, patches and words, and all of it in a real browser."""

import numpy as np
import pytest
from PIL import Image

from playground.digit_networks import example_digits, load_network
from playground.digit_pictures import on_pad
from playground.exciting_patches import WHOLE, WINDOWS, embedded_digits, exciting_patches
from playground.see_inside import NOT_CHOSEN, NOTHING, SeeInside
from tests.playground.browser import (
    errors_in_cells,
    new_page,
    open_notebook,
    run_all,
    serious_findings,
)
from tests.playground.handwriting import HANDS, draw
from tests.playground.test_drawing_pad import from_browser

LAYERS = [stage.name for stage in load_network("cnn").stages(np.zeros((1, 28, 28)))]


@pytest.fixture
def widget():
    made = SeeInside()
    from_browser(made, picture=on_pad(example_digits()[0][0], 112).tobytes())
    return made


class TestMaps:
    def test_nothing_drawn(self):
        widget = SeeInside()
        assert (widget.maps, widget.words) == (b"", NOTHING)
        assert widget.detail == {"words": NOT_CHOSEN}

    def test_every_map_of_every_layer(self, widget):
        stages = load_network("cnn").stages(example_digits()[0][:1] / np.float32(255))
        maps, at = np.frombuffer(widget.maps, np.uint8), 0
        for described, stage, largest in zip(widget.layers, stages, widget.largest, strict=True):
            shape = (described["depth"], described["height"], described["width"])
            sent = maps[at : at + np.prod(shape)].reshape(shape)
            at += sent.size
            values = np.moveaxis(stage.values[0].reshape(*shape[1:], shape[0]), -1, 0)
            assert np.abs(sent / 255 * values.max() - values).max() <= values.max() / 500, (
                stage.name
            )
            assert abs(largest - values.max()) < 0.001
        assert at == len(maps)

    def test_it_says_what_is_read(self, widget):
        assert widget.words.startswith("The CNN reads 7, with probability ")

    def test_a_photograph_is_taken_as_it_is(self):
        widget = SeeInside()
        widget.take_photograph()
        assert widget.fit == "whole"
        (first, *_) = widget.layers
        field = np.frombuffer(widget.maps, np.uint8)[: first["height"] * first["width"]]
        assert field.reshape(28, 28)[0].any()  # up to the edge
        assert "The CNN reads" in widget.words

    def test_fit_changes_what_goes_in(self):
        widget = SeeInside()
        small = np.zeros((112, 112), np.uint8)
        small[5:15, 90:93] = 255
        from_browser(widget, picture=small.tobytes())
        centred = widget.maps
        from_browser(widget, fit="whole")
        assert widget.maps != centred


class TestChosen:
    @pytest.mark.parametrize("layer", LAYERS)
    def test_each_layer_has_a_detail(self, widget, layer):
        depth = widget.layers[LAYERS.index(layer)]["depth"]
        widget.choose(layer, depth - 1)
        detail = widget.detail
        assert detail["title"].endswith(f" {depth} of {depth}")
        assert detail["words"]
        tiles = detail["tiles"]
        count = tiles["count"] * tiles["height"] * tiles["width"] if tiles else 0
        side, labels = detail["patches"]["side"], detail["patches"]["labels"]
        assert len(widget.detail_pixels) == count + len(labels) * side**2

    def test_the_weights_are_the_filters(self, widget):
        widget.choose("convolution 1", 5)
        weights = load_network("cnn").weights[0][0][:, :, 0, 5]
        assert np.allclose(widget.detail["tiles"]["values"], weights.ravel(), atol=0.0051)
        signed = np.frombuffer(widget.detail_pixels[:4], np.int8) / 127
        assert np.allclose(signed * np.abs(weights).max(), weights.ravel(), atol=0.01)

    @pytest.mark.parametrize(
        ("layer", "number"), [("convolution 1", 2), ("pooling 1", 2), ("convolution 2", 9),
                              ("pooling 2", 9), ("convolution 3", 30), ("dense 1", 7)]
    )  # fmt: skip
    def test_patches_excite_it_most(self, layer, number):
        network = load_network("cnn")
        patches = exciting_patches(network, layer, number, 4)
        values = [patch.value for patch in patches]
        assert values == sorted(values, reverse=True)
        index = LAYERS.index(layer)
        digits, labels = embedded_digits()
        some = digits[:200].astype(np.float32) / 255
        assert network.stages(some)[index].values[..., number].max() <= values[0] + 1e-5
        # A patch alone, on an empty field at its place, gives the unit the same value.
        window = WINDOWS.get(layer, WHOLE)
        for patch in patches:
            field = np.zeros((1, 28, 28), np.float32)
            rows, columns = (slice(at, at + window.side) for at in (patch.row, patch.column))
            field[0, rows, columns] = patch.pixels / np.float32(255)
            found = network.stages(field)[index].values[0, ..., number]
            there = found if window == WHOLE else found[patch.row // window.step,
                                                        patch.column // window.step]  # fmt: skip
            assert abs(there - patch.value) < 1e-4
        assert all(patch.label in labels for patch in patches)

    def test_the_place_is_where_the_map_is_largest(self, widget):
        stages = load_network("cnn").stages(example_digits()[0][:1] / np.float32(255))
        for layer, window in WINDOWS.items():
            values = stages[LAYERS.index(layer)].values[0, ..., 0]
            widget.choose(layer, 0)
            place = widget.detail["place"]
            if values.max() <= 0:
                assert place is None
                continue
            assert place["side"] == window.side
            row, column = place["row"] // window.step, place["column"] // window.step
            assert values[row, column] == values.max()

    def test_the_detail_follows_the_drawing(self, widget):
        widget.choose("convolution 3", 1)
        before = widget.detail["words"]
        from_browser(widget, picture=on_pad(example_digits()[0][3], 112).tobytes())
        assert widget.detail["words"] != before
        from_browser(widget, picture=bytes(112 * 112))
        assert widget.detail["words"].startswith("Nothing is drawn, so the map is empty.")

    @pytest.mark.parametrize(
        ("layer", "number", "words"),
        [("pooling 9", 0, "there is no layer 'pooling 9'"),
         ("convolution 1", 32, "convolution 1 has maps 0 to 31; received 32")],
    )  # fmt: skip
    def test_what_is_not_there_is_refused(self, widget, layer, number, words):
        with pytest.raises(ValueError, match=words):
            widget.choose(layer, number)


@pytest.fixture(scope="module")
def opened(browser, lab):
    page, seen = new_page(browser)
    page.set_viewport_size({"width": 1280, "height": 2300})  # for the pictures: all of it
    open_notebook(page, lab, "see_inside")
    run_all(page)
    yield page, seen
    page.context.close()


@pytest.mark.full
class TestInTheBrowser:
    def test_from_nothing_to_a_map(self, opened, pictures):
        page, _ = opened
        root = page.locator(".playground")
        assert page.locator(".pg-status").inner_text() == NOTHING
        assert page.locator(".pg-detail").inner_text().endswith(NOT_CHOSEN)
        draw(page, page.locator("canvas.pg-pad"), HANDS["first"][2])
        page.get_by_text("The CNN reads 2").first.wait_for()
        page.get_by_role("button", name="Convolution 2, map 7:").click()
        page.get_by_role("heading", name="Convolution 2, map 7 of 64").wait_for()
        assert (
            "Most exciting patches, from digits of 1,000" in page.locator(".pg-detail").inner_text()
        )
        assert page.locator(".pg-patch").count() == 12
        root.screenshot(path=pictures / "see_inside_map.png")

    def test_by_keyboard(self, opened):
        page, _ = opened
        page.get_by_role("button", name="Convolution 1, map 1:").focus()
        for key in ("ArrowRight", "ArrowRight", "Enter"):
            page.keyboard.press(key)
        page.get_by_role("heading", name="Convolution 1, map 3 of 32").wait_for()
        page.keyboard.press("End")
        page.keyboard.press("Space")
        page.get_by_role("heading", name="Convolution 1, map 32 of 32").wait_for()
        # One stop of the Tab key a layer.
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
        assert focused.startswith("Pooling 1, map ")

    def test_a_file_is_opened_and_a_broken_one_gets_words(self, opened, tmp_path):
        page, _ = opened
        picture = Image.fromarray(255 - on_pad(example_digits()[0][1], 300)).convert("RGB")
        picture.save(tmp_path / "two.png")
        (tmp_path / "broken.png").write_bytes(b"no picture")
        page.get_by_label("Open a picture").set_input_files(tmp_path / "broken.png")
        page.get_by_text("The browser cannot read “broken.png” as a picture.").first.wait_for()
        page.get_by_role("button", name="Clear").click()
        page.get_by_text(NOTHING).first.wait_for()
        page.get_by_label("Open a picture").set_input_files(tmp_path / "two.png")
        page.get_by_text("The CNN reads 2").first.wait_for()
        # White on black is turned round.
        page.get_by_role("button", name="Clear").click()
        page.get_by_text(NOTHING).first.wait_for()
        Image.fromarray(on_pad(example_digits()[0][0], 300)).save(tmp_path / "seven.png")
        page.get_by_label("Open a picture").set_input_files(tmp_path / "seven.png")
        page.get_by_text("The CNN reads 7").first.wait_for()

    def test_a_photograph(self, opened, pictures):
        page, _ = opened
        page.get_by_role("button", name="A photograph").click()
        page.wait_for_function(
            "() => document.querySelector('.playground select').value === 'whole'"
        )
        page.locator(".playground").screenshot(path=pictures / "see_inside_photograph.png")

    def test_no_serious_finding_no_error_no_failed_request(self, opened):
        page, seen = opened
        assert serious_findings(page) == []
        assert errors_in_cells(page) == []
        assert seen.problems() == []

    def test_dark(self, browser, lab, pictures):
        page, seen = new_page(browser, dark=True)
        page.set_viewport_size({"width": 1280, "height": 2300})
        open_notebook(page, lab, "see_inside", dark=True)
        run_all(page)
        page.get_by_role("button", name="Example digit").click()
        page.get_by_role("button", name="Convolution 1, map 4:").click()
        page.get_by_role("heading", name="Convolution 1, map 4 of 32").wait_for()
        page.locator(".playground").screenshot(path=pictures / "see_inside_dark.png")
        assert serious_findings(page) == []
        assert seen.problems() == []
        page.context.close()
