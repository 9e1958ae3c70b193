"""What the drawing pad sends and receives, and how scripts are put together."""

import re

import numpy as np
import pytest
import traitlets

from playground.drawing_pad import DrawingPad, as_picture
from playground.modules import script, style

SCRIPTS = ("drawing_pad.js", "draw_a_digit.js", "see_inside.js")


def from_browser(widget, **state):
    """Give a widget what a message of the browser would: bytes come as a memoryview."""
    widget.set_state(
        {key: memoryview(v) if isinstance(v, bytes) else v for key, v in state.items()}
    )


class TestDrawingPad:
    def test_nothing_is_drawn_at_first(self):
        pad = DrawingPad(size=16)
        assert pad.is_empty
        assert pad.array().shape == (16, 16)
        assert not pad.array().any()

    def test_a_drawing_arrives(self):
        pad, heard = DrawingPad(size=16), []
        pad.observe(lambda change: heard.append(change.new), names="picture")
        drawing = np.arange(256, dtype=np.uint8)
        from_browser(pad, picture=drawing.tobytes())
        assert heard == [drawing.tobytes()]
        assert np.array_equal(pad.array(), drawing.reshape(16, 16))
        assert not pad.is_empty
        pad.array()[:] = 0  # a copy
        assert not pad.is_empty

    def test_what_the_browser_sent_does_not_go_back(self):
        pad = DrawingPad(size=16)
        assert pad.trait_metadata("picture", "echo_update") is False
        from_browser(pad, picture=bytes(256))
        assert pad.is_empty

    def test_load_and_clear(self):
        pad = DrawingPad(size=16)
        picture = np.zeros((16, 16))
        picture[3, 5] = 254.6
        pad.load(picture)
        assert pad.array()[3, 5] == 255
        assert pad.get_state("picture")["picture"] == pad.picture
        pad.clear()
        assert pad.is_empty

    @pytest.mark.parametrize(
        ("picture", "words"),
        [
            (np.zeros((8, 16)), r"shape \(8, 16\); expected \(16, 16\)"),
            (np.full((16, 16), -1), "values outside 0 … 255"),
            (np.full((16, 16), np.nan), "values outside 0 … 255"),
        ],
    )
    def test_what_is_no_picture_is_refused(self, picture, words):
        with pytest.raises(ValueError, match=words):
            DrawingPad(size=16).load(picture)

    def test_too_few_bytes(self):
        with pytest.raises(ValueError, match="3 bytes; expected 256, for 16 × 16 pixels"):
            as_picture(b"abc", 16)

    def test_sizes_have_bounds(self):
        with pytest.raises(traitlets.TraitError):
            DrawingPad(size=2)
        with pytest.raises(traitlets.TraitError):
            DrawingPad(line_width=2)


class TestModules:
    @pytest.mark.parametrize("name", SCRIPTS)
    def test_one_text_that_imports_nothing(self, name):
        text = script(name)
        assert not re.search(r"^\s*import\b", text, re.MULTILINE)
        assert re.findall(r"^export .*", text, re.MULTILINE) == [
            line for line in text.splitlines() if line.startswith("export default")
        ]
        assert text.count("export default") == 1
        # What two files need is there once.
        assert text.count("function playgroundRoot(") == 1

    @pytest.mark.parametrize("name", SCRIPTS)
    def test_names_at_the_top_differ(self, name):
        names = re.findall(
            r"^(?:async )?(?:function|const|let|class) (\w+)", script(name), re.MULTILINE
        )
        assert len(names) == len(set(names))

    @pytest.mark.parametrize("name", SCRIPTS)
    def test_no_address_of_a_network(self, name):
        assert "://" not in script(name) + style("drawing_pad.css", "draw_a_digit.css")

    def test_the_shared_look_comes_first(self):
        assert style("drawing_pad.css").startswith(style())

    def test_a_file_that_is_missing(self):
        with pytest.raises(FileNotFoundError):
            script("nothing.js")
