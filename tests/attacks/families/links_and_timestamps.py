"""Links and timestamps: files that are elsewhere, and times that never were."""

import json
import os

from tests.attacks.catalogue import GAINS, HARMS, NOTHING, attack


@attack("Hand in the instructor's notebook: the file is a link to it.", plain=GAINS,
        honest={"test_warmup": 0.0})  # fmt: skip
def notebook_is_a_link(sub):
    sub.write_notebook = False
    os.symlink("../../../source/walls/walls.ipynb", sub.folder / "walls.ipynb")


@attack("Hand in links to secrets, and print what they lead to.", plain=HARMS, alone=False)
def links_to_secrets(sub):
    root = sub.course.root
    for name, place in (
        ("a.txt", root / "source" / "walls" / "walls.ipynb"),
        ("b.txt", sub.words["TMP_SECRET"]),
        ("c.txt", root / "submitted" / "aa-honest" / "walls" / "walls.ipynb"),
        ("d.txt", "/proc/self/environ"),
        ("deep/e.txt", root / "nbgrader_config.py"),
    ):
        (sub.folder / name).parent.mkdir(exist_ok=True)
        os.symlink(place, sub.folder / name)
    os.symlink(root / "source", sub.folder / "folder")
    os.symlink(".", sub.folder / "loop")
    sub.last_cell("""
        import glob
        for path in glob.glob("*.txt") + glob.glob("*/*.txt") + glob.glob("folder/*/*"):
            try:
                print("$MARK", open(path).read()[::-1])
            except OSError:
                pass
    """)


@attack("Hand in a pipe: whoever reads it waits for ever.", plain=HARMS)
def named_pipe(sub):
    os.mkfifo(sub.folder / "data.bin")
    (sub.folder / "sub").mkdir()
    os.mkfifo(sub.folder / "sub" / "module.py")


@attack("Hand in late, with a timestamp.txt that says otherwise.", plain=GAINS, late=True)
def earlier_timestamp(sub):
    sub.file("timestamp.txt", "2001-01-01 00:00:00.000000 UTC")


@attack("Hand in late, with an entry in the exchange, a notebook and a record that say otherwise.",
        plain=GAINS, late=True)  # fmt: skip
def earlier_entry(sub):
    early = "2001-01-01 00:00:00.000000 UTC"
    sub.file("timestamp.txt", early)
    sub.claimed = early
    record = {"folder": f"{sub.student}/walls", "written": early, "doubts": []}
    signed = {"text": json.dumps(record), "signature": "0" * 64}
    sub.file(".autograder_record.json", json.dumps(signed))


@attack("Hand in late, with a timestamp.txt that nobody can read.", plain=HARMS, late=True)
def unreadable_timestamp(sub):
    sub.file("timestamp.txt", b"\xff\xfe 99999-99-99" + b"9" * 100_000)
    sub.file(".autograder_record.json", b"[" * 9_000)


@attack("Hand in late, with a timestamp.txt that is a link to a classmate's.", plain=GAINS,
        late=True)  # fmt: skip
def linked_timestamp(sub):
    os.symlink("../../aa-honest/walls/timestamp.txt", sub.folder / "timestamp.txt")


@attack("Hand in late, with a folder where the time should be.", plain=HARMS, late=True)
def no_timestamp(sub):
    (sub.folder / "timestamp.txt").mkdir()
    sub.file("timestamp.txt/x", "2001-01-01")


@attack("Names of files that look like options, like paths, like nothing at all.", plain=NOTHING)
def names_of_files(sub):
    for name in ("--force", "-rf", "a\nb.txt", "x" * 250, "\u202etxt.py", "walls.html", "$(id)",
                 ".autograder_secret", "gradebook.db", "timestamp.txt~", "walls.ipynb.orig",
                 "con", " ", "nbgrader_config.py", "a\\..\\b"):  # fmt: skip
        sub.file(name, b"x")
    (sub.folder / "walls2.ipynb").write_text("{")
    (sub.folder / "deep").mkdir()
    deep = sub.folder / "deep"
    for _ in range(40):
        deep = deep / "d"
        deep.mkdir()
