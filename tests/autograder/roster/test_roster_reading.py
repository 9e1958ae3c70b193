"""Lists of students as people export them, and what is said about those that are no good."""

import pytest

from autograder.roster.formulas import guarded, one_line, unguarded
from autograder.roster.people import read_roster
from autograder.roster.tables import RosterError

CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Lesson (17),Current Score\r\n"
    "    Points Possible,,,,,10,(read only)\r\n"
    ",,,,,Manual Posting,\r\n"
    '"Lovelace, Ada",101,u1,ada@uni.edu,"Group A, morning",7,70\r\n'
    '"王, 小明",102,u2,wang@uni.edu,B,,\r\n'
    '"=""=cmd(), Eve""",103,u3,eve@uni.edu,B,,\r\n'
    '"Student, Test",999,,,B,,\r\n'
)
MOODLE = (
    "First name,Last name,ID number,Email address,Assignment: Lesson (Real)\n"
    "Ada,Lovelace,u1,ada@uni.edu,7\n小明,王,u2,wang@uni.edu,-\n"
    '"Zoë\nMarie","O\'Hara ""Z""",u3,z@uni.edu,-\n'
)
PLAIN = "id;first_name;last_name;email\nada;Ada;Lovelace;ada@uni.edu\nbob;Bob;;\n"


@pytest.fixture
def write(tmp_path):
    def write(content, encoding="utf-8"):
        path = tmp_path / "class.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


def shown(roster):
    return [
        (person.id, person.first_name, person.last_name, person.email, person.lms_user_id)
        for person in roster.people
    ]


def test_canvas(write):
    roster = read_roster(write(CANVAS))
    assert (roster.kind, roster.id_column) == ("canvas", "SIS Login ID")
    assert shown(roster) == [
        ("ada@uni.edu", "Ada", "Lovelace", "ada@uni.edu", "101"),
        ("wang@uni.edu", "小明", "王", "wang@uni.edu", "102"),
        ("eve@uni.edu", "Eve", "=cmd()", "eve@uni.edu", "103"),
    ]
    assert [person.line for person in roster.people] == [4, 5, 6]
    assert roster.people[0].cells["Section"] == "Group A, morning"


def test_canvas_as_teachers_without_sis_rights_get_it(write):
    text = "Student,ID,SIS Login ID,Section\nLovelace,7,ada,A\n"
    assert shown(read_roster(write(text))) == [("ada", "", "Lovelace", "", "7")]
    text = "LastName,FirstName,ID,Section\nLovelace,Ada,7,A\n"
    assert shown(read_roster(write(text))) == [("7", "Ada", "Lovelace", "", "7")]


def test_moodle(write):
    roster = read_roster(write(MOODLE))
    assert (roster.kind, roster.id_column) == ("moodle", "ID number")
    assert shown(roster) == [
        ("u1", "Ada", "Lovelace", "ada@uni.edu", "u1"),
        ("u2", "小明", "王", "wang@uni.edu", "u2"),
        ("u3", "Zoë\nMarie", 'O\'Hara "Z"', "z@uni.edu", "u3"),
    ]
    roster = read_roster(write(MOODLE), id_column="Email address", before_at=True)
    assert [person.id for person in roster.people] == ["ada", "wang", "z"]


def test_a_plain_table(write):
    roster = read_roster(write(PLAIN))
    assert shown(roster) == [
        ("ada", "Ada", "Lovelace", "ada@uni.edu", ""),
        ("bob", "Bob", "", "", ""),
    ]


def test_a_table_with_headings_of_its_own(write):
    path = write("学号\t姓\t名\n1001\t王\t小明\n")
    columns = {"id": "学号", "last_name": "姓", "first_name": "名"}
    assert shown(read_roster(path, columns=columns)) == [("1001", "小明", "王", "", "")]
    with pytest.raises(RosterError, match="no column '邮箱'"):
        read_roster(path, columns={**columns, "email": "邮箱"})
    with pytest.raises(RosterError, match="no field 'mail'"):
        read_roster(path, columns={"mail": "姓"})


@pytest.mark.parametrize(
    ("encoding", "option"),
    [
        ("utf-8", None), ("utf-8-sig", None), ("utf-16", None), ("gb18030", "gb18030"),
        ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be"),
    ],
)  # fmt: skip
def test_encodings(write, encoding, option):
    for text in (CANVAS, MOODLE):
        people = read_roster(write(text, encoding), encoding=option).people
        assert people[1].last_name == "王"


def test_western_europe(write):
    path = write("id;first_name\nzoe;Zoë\n", "cp1252")
    with pytest.raises(RosterError, match="line 2, is not text in utf-8: name its encoding"):
        read_roster(path)
    assert read_roster(path, encoding="cp1252").people[0].first_name == "Zoë"


def with_rows(*rows):
    return "id,first_name,email,lms_user_id\n" + "\n".join(rows) + "\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"%PDF-1.7", "a PDF"),
        ("i\0d\0,\0", "utf-16-le"),
        ("just a sentence\nand another", "not a table of columns"),
        ("<html><body>log in</body></html>", "not a table of columns"),
        ("name,grade\nAda,1\n", "'name', 'grade'.*--column id=HEADING"),
        ("First name,Last name\nAda,Lovelace\n", "ID number, Email address or Username"),
        ("id,first_name\n", "names no student"),
        (with_rows("ada,Ada,a@x,1", "bob,Bob,b@x,2", "ADA,Ada,c@x,3"), "lines 2 and 4.*same id"),
        (with_rows("ada,Ada,a@x,1", "bob,Bob,A@X,2"), "lines 2 and 3.*same e-mail"),
        (with_rows("ada,Ada,a@x,1", "bob,Bob,,1"), "lines 2 and 3.*same number"),
        (with_rows("ada,Ada,a@x"), "line 2, has 3 values for 4 columns"),
        (with_rows(",Ada,a@x,1"), "line 2, has nothing in the column 'id'"),
        (with_rows("../ada,Ada,,"), "cannot be an id"),
        (with_rows("a+b@x,Ada,,"), "cannot be an id"),
        (with_rows("x" * 129 + ",Ada,,"), "longer than 128"),
        ('id,first_name\nada,"Ada\n', "is not CSV"),
        ("id,id\nada,bob\n", "the column 'id' twice"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(write, content, words):
    with pytest.raises(RosterError, match=words) as caught:
        read_roster(write(content))
    assert "\n" not in str(caught.value)
    assert "class.csv" in str(caught.value)


def test_files_and_encodings_that_are_not_there(write, tmp_path):
    with pytest.raises(RosterError, match="No such file"):
        read_roster(tmp_path / "none.csv")
    with pytest.raises(RosterError, match="Is a directory"):
        read_roster(tmp_path)
    with pytest.raises(RosterError, match="no encoding named 'klingon'"):
        read_roster(write(PLAIN), encoding="klingon")
    with pytest.raises(RosterError, match="no column 'Matrikel'"):
        read_roster(write(PLAIN), id_column="Matrikel")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\r=x", " =1", "＝1"])
def test_formulas_are_guarded_and_freed_again(text):
    assert guarded(text) == "'" + text
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", ["Ada", "'t Hooft", "O'Hara", "a=b", "", "王"])
def test_other_texts_stay_as_they_are(text):
    assert guarded(text) == text == unguarded(text)


def test_what_is_printed_moves_no_cursor():
    assert one_line("a\x1b[2Jb\nc王") == "a [2Jb c王"
