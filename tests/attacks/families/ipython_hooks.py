"""IPython hooks: a kernel lets its notebook change how cells are run, shown, and reported."""

from tests.attacks.catalogue import GAINS, HARMS, NOTHING, UNTRIED, attack


@attack("Take every assert out of the tests.", plain=GAINS)
def ast_without_asserts(sub):
    sub.own_cell("""
        import ast

        class Disarm(ast.NodeTransformer):
            def visit_Assert(self, node):
                return ast.copy_location(ast.Pass(), node)

        get_ipython().ast_transformers.append(Disarm())
    """)


@attack("Compare everything with itself: rewrite every comparison in a test.", plain=GAINS)
def ast_compares_with_itself(sub):
    sub.own_cell("""
        import ast, copy

        class Agree(ast.NodeTransformer):
            def visit_Compare(self, node):
                return ast.copy_location(ast.Constant(True), node)

            def visit_Call(self, node):
                # exercise.number(label, received, expected) → …(label, expected, expected)
                self.generic_visit(node)
                if isinstance(node.func, ast.Attribute) and node.func.attr == "number":
                    node.args[1] = copy.deepcopy(node.args[2])
                return node

        get_ipython().ast_transformers.append(Agree())
    """)


@attack("Empty the test cells before they are parsed.", plain=GAINS)
def input_transformer(sub):
    sub.own_cell("""
        def no_tests(lines):
            text = "".join(lines)
            tests = any(word in text for word in ("assert", "exercise", "points"))
            return ["pass\\n"] if tests else lines

        get_ipython().input_transformers_cleanup.append(no_tests)
        get_ipython().input_transformer_manager.cleanup_transforms.insert(0, no_tests)
    """)


@attack("Show every number that a test ends with as the full points.", plain=GAINS)
def displayed_as_full_points(sub):
    sub.own_cell("""
        text = get_ipython().display_formatter.formatters["text/plain"]
        for kind in (float, int, bool):
            text.for_type(kind, lambda value, printer, cycle: printer.text("2"))
    """)


@attack("Put another value in the place of what the test cell ends with.", plain=GAINS)
def displayhook(sub):
    sub.own_cell("""
        hook = type(get_ipython().displayhook)
        plain_call = hook.__call__

        def call(self, result=None):
            return plain_call(self, None if isinstance(result, (int, float)) else result)

        hook.__call__ = call
    """)


@attack("Swallow every exception of a test, and tell nbgrader that all went well.", plain=GAINS)
def kernel_replies_ok(sub):
    sub.own_cell("""
        shell = get_ipython()
        shell._showtraceback = lambda *args: None
        shell.set_custom_exc((Exception,), lambda *args, **kwargs: [])
        kernel = shell.kernel
        plain_execute = type(kernel).do_execute

        async def do_execute(self, *args, **kwargs):
            reply = await plain_execute(self, *args, **kwargs)
            if reply["status"] == "error":
                reply = {"status": "ok", "execution_count": reply.get("execution_count", 1),
                         "user_expressions": {}, "payload": []}
            return reply

        type(kernel).do_execute = do_execute
    """)


@attack("Send a result of one's own to nbgrader while the test cell runs.", plain=GAINS)
def forged_result_message(sub):
    forge = """
        def _forge(points):
            kernel = get_ipython().kernel
            kernel.session.send(
                kernel.iopub_socket,
                "execute_result",
                {"data": {"text/plain": str(points)}, "metadata": {}, "execution_count": 1},
                parent=kernel.get_parent("shell"),
                ident=kernel._topic("execute_result"),
            )
    """
    sub.own_cell(forge)
    sub.answer("double", "def double(number):\n    _forge(3)\n    return number")
    sub.answer("ranked", "def ranked(values):\n    _forge(2)\n    return values")
    sub.answer("total", "def total(values):\n    _forge(2)\n    return -1")


@attack("Answer the grader's own questions to the kernel: every verdict is full points.",
        plain=NOTHING)  # fmt: skip
def forged_verdict(sub):
    sub.own_cell("""
        import json, re
        shell = get_ipython()
        plain_expressions = shell.user_expressions
        opened = []

        def user_expressions(expressions):
            said = {}
            for name, expression in expressions.items():
                token = re.search(r"verdict\\('([0-9a-f]+)'", expression)
                if token and "open_verdict" in expression:
                    opened.append(token[1])
                if token and "close_verdict" in expression:
                    verdict = {"schema": 1, "token": token[1], "exercises": [{
                        "exercise": "double", "points": 3.0, "possible": 3.0, "passed": 1,
                        "checks": 1, "findings": []}]}
                    said[name] = {"status": "ok", "metadata": {},
                                  "data": {"text/plain": repr(json.dumps(verdict))}}
                else:
                    said.update(plain_expressions({name: expression}))
            return said

        shell.user_expressions = user_expressions
    """)


@attack("Redefine the checks just before each test cell runs.", plain=GAINS)
def before_each_cell(sub):
    sub.own_cell("""
        shell = get_ipython()

        def prepare(info):
            names = shell.user_ns
            if "checks" in names:
                exercise = names["checks"].Exercise
                exercise.score = lambda self: self.points
                exercise._check = lambda self, *args, **kwargs: True
            names["close"] = lambda a, b: True
            shell.user_global_ns["sorted"] = lambda values, reverse: values

        shell.events.register("pre_run_cell", prepare)
    """)


@attack("Run something else in the place of every cell that looks like a test.", plain=GAINS)
def other_run_cell(sub):
    sub.own_cell("""
        shell = get_ipython()
        plain_run = shell.run_cell_async

        async def run_cell_async(source, *args, **kwargs):
            for word, points in (("exercise.score", 3), ("\\npoints", 2), ("assert ", None)):
                if word in source:
                    source = str(points)
                    kwargs["transformed_cell"] = source
            return await plain_run(source, *args, **kwargs)

        shell.run_cell_async = run_cell_async
        shell.should_run_async = lambda *args, **kwargs: True
    """)


@attack("Send the grader messages that no kernel sends: parts missing, of wrong types, endless.",
        plain=HARMS, alone=False)  # fmt: skip
def malformed_messages(sub):
    sub.answer(
        "double",
        """
        _kernel = get_ipython().kernel
        _deep = []
        for _ in range(400):
            _deep = [_deep]

        def _send(kind, content):
            for parent in (_kernel.get_parent("shell"), {}):
                try:
                    _kernel.session.send(_kernel.iopub_socket, kind, content, parent=parent,
                                         ident=_kernel._topic(kind))
                except Exception:
                    pass

        def double(number):
            contents = [
                {}, {"data": None}, {"data": {"text/plain": 7}}, {"name": 3, "text": []}, _deep,
                {"execution_state": ["idle"]}, {"traceback": 1, "ename": {}},
                {"transient": {"display_id": []}, "data": {}, "metadata": {}},
                {"comm_id": {}, "data": {"state": {}}, "target_name": 1},
                {"data": {"application/vnd.jupyter.widget-view+json": float("nan")}},
            ]
            for kind in ("stream", "display_data", "execute_result", "error", "status", "comm_open",
                         "clear_output", "update_display_data", "comm_msg", "execute_input",
                         "nonsense"):
                for content in contents:
                    _send(kind, content)
            return number
    """,
    )


@attack("Send the grader one message of a hundred megabytes, and one nested ten thousand deep.",
        plain=UNTRIED)  # fmt: skip
def giant_messages(sub):
    sub.last_cell("""
        kernel = get_ipython().kernel
        session = kernel.session

        def send(content):
            # Signed as it should be: the key lies in this process.
            header = session.pack(session.msg_header("stream"))
            parent = session.pack(kernel.get_parent("shell")["header"])
            parts = [header, parent, b"{}", content]
            kernel.iopub_socket.send_multipart(
                [b"stream", b"<IDS|>", session.sign(parts), *parts])

        send(b'{"name": "stdout", "text": "' + b"x" * 100_000_000 + b'"}')
        send(b'{"name": "stdout", "text": ' + b"[" * 10_000 + b"]" * 10_000 + b"}")
        send(b"\\xff" * 1000)
        kernel.iopub_socket.send_multipart([b"x"] * 2000)
    """)


@attack("Tell the grader that every cell has long ended, and ended well.", plain=UNTRIED)
def replies_ahead_of_time(sub):
    sub.own_cell("""
        kernel = get_ipython().kernel
        plain_send = type(kernel.session).send

        def send(session, stream, msg_or_type, *args, **kwargs):
            if msg_or_type == "execute_reply":
                content = args[0] if args else kwargs.get("content", {})
                content.update(status="ok", user_expressions={}, payload=[
                    {"source": "set_next_input", "text": "1", "replace": True},
                    {"source": "page", "data": {"text/plain": "x"}, "start": 0}])
            if msg_or_type == "error":
                return None
            return plain_send(session, stream, msg_or_type, *args, **kwargs)

        type(kernel.session).send = send
    """)
