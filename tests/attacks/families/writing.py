"""Writing the gradebook, the configuration, start-up files, other people's work."""

from tests.attacks.catalogue import GAINS, HARMS, attack


@attack("Write full marks into the gradebook while the notebook runs.", plain=GAINS)
def writes_the_gradebook(sub):
    sub.last_cell("""
        import sqlite3
        for path in ("$COURSE/gradebook.db", "../../../gradebook.db"):
            try:
                book = sqlite3.connect(path, timeout=2)
                book.execute('''
                    update grade set manual_score = 2, needs_manual_grade = 0 where notebook_id in (
                        select n.id from submitted_notebook n
                        join submitted_assignment a on a.id = n.assignment_id
                        where a.student_id = '$STUDENT')''')
                book.commit()
            except sqlite3.Error:
                pass
    """)


@attack("Make an exercise worth a hundred points, and a classmate's marks nothing.", plain=HARMS)
def writes_others_marks(sub):
    sub.last_cell("""
        import sqlite3
        try:
            book = sqlite3.connect("$COURSE/gradebook.db", timeout=2)
            book.execute("update grade_cells set max_score = 100 where id in "
                         "(select id from base_cell where name = 'test_double')")
            book.execute('''
                update grade set manual_score = 0 where notebook_id in (
                    select n.id from submitted_notebook n
                    join submitted_assignment a on a.id = n.assignment_id
                    where a.student_id like '%-honest')''')
            book.execute("insert into student (id) values ('$MARK')")
            book.commit()
        except sqlite3.Error:
            pass
    """)


@attack("Change how the next class is graded: append to nbgrader_config.py.", plain=HARMS)
def writes_the_configuration(sub):
    sub.last_cell("""
        import os
        for path in ("$COURSE/nbgrader_config.py", "../../../nbgrader_config.py",
                     "$HOME/.jupyter/nbgrader_config.py", "$COURSE/jupyter_config.py"):
            try:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                open(path, "a").write("\\n# $MARK\\n")
            except OSError:
                pass
    """)


@attack("Run in the next student's kernel: start-up files of IPython, Python, the shell.",
        plain=HARMS)  # fmt: skip
def writes_start_up_files(sub):
    sub.last_cell("""
        import os, site, sys
        own = os.path.expanduser("~")
        for home in ("$HOME", own):
            for name in (".ipython/profile_default/startup/00-$MARK.py", ".bashrc", ".profile",
                         ".ipython/profile_default/ipython_kernel_config.py", ".pythonrc.py",
                         f".local/lib/python{sys.version_info[0]}.{sys.version_info[1]}/"
                         "site-packages/usercustomize.py", ".config/matplotlib/matplotlibrc",
                         ".keras/keras.json.$MARK"):
                if not home.startswith("$HOME"):
                    continue  # on this machine, nobody's own files
                try:
                    path = os.path.join(home, name)
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    open(path, "a").write("\\n# $MARK\\n")
                except OSError:
                    pass
        for folder in site.getsitepackages():
            try:
                open(os.path.join(folder, "$MARK.pth"), "w").write("# $MARK\\n")
            except OSError:
                pass
    """)


@attack("Change the instructor's notebook, the lesson, and a classmate's submission.", plain=HARMS)
def writes_others_files(sub):
    sub.last_cell("""
        import glob
        for path in (glob.glob("$COURSE/source/walls/*") + glob.glob("$COURSE/release/walls/*")
                     + glob.glob("$COURSE/submitted/zz-honest/walls/*.ipynb")
                     + glob.glob("$COURSE/autograded/aa-honest/walls/*.ipynb")):
            try:
                text = open(path).read().replace("return", "return None or")
                open(path, "w").write(text + "\\n" * 3)
                open(path + ".$MARK", "w").write("$MARK")
            except OSError:
                pass
    """)


@attack("Rewrite the data that a locked cell reads, in the working folder and in the submission.",
        plain=GAINS)  # fmt: skip
def rewrites_the_data(sub):
    sub.file("numbers.csv", "0.0\n")
    sub.own_cell("""
        import os
        try:
            os.chmod("numbers.csv", 0o644)
        except OSError:
            pass
        open("numbers.csv", "w").write("0.0\\n0.0\\n")
    """)
    sub.answer("total", "def total(values):\n    return 0.0")


@attack("Leave files for later in every folder that can be written.", plain=HARMS)
def leaves_files_everywhere(sub):
    sub.last_cell("""
        import os, socket
        for folder in ("/tmp", "/var/tmp", "/dev/shm", "/run", "$HOME", "$COURSE", "$COURSE/..",
                       "$COURSE/submitted", os.environ.get("TMPDIR", "/tmp"), "..", "../.."):
            for name in ("$MARK", "$MARK.pth", "$MARK.sock"):
                path = os.path.join(folder, name)
                try:
                    if name.endswith("sock"):
                        socket.socket(socket.AF_UNIX).bind(path)
                    else:
                        open(path, "w").write("$MARK")
                except OSError:
                    pass
    """)
