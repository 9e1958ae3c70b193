"""Students as a script: all at once they sign in, fetch, run, answer and hand in.

``python -m tests.hub.scripted ADDRESS LESSON NAME …`` reads the password from its input, and prints
a line of JSON for each student: name, what went wrong if anything did, and seconds.
"""

import asyncio
import json
import sys
import time
import uuid

import httpx
import websockets

SECONDS = 400
COURSE = "toy"
ANSWERS = {"double": "def double(number):\n    return 2 * number\n",
           "half": "def half(number):\n    return number / 2\n",
           "reading": "The window loses its border."}  # fmt: skip


class Student:
    """One student, with the cookies of one browser."""

    def __init__(self, address: str, name: str, lesson: str) -> None:
        self.address, self.name, self.lesson = address, name, lesson
        self.mine = f"{address}/user/{name}"
        self.client = httpx.AsyncClient(follow_redirects=True, timeout=SECONDS)

    def _token(self, path: str) -> dict[str, str]:
        for cookie in self.client.cookies.jar:
            if cookie.name == "_xsrf" and cookie.path.rstrip("/") == path.rstrip("/"):
                return {"X-XSRFToken": cookie.value}
        return {}

    async def sign_in(self, password: str) -> None:
        """Sign in, and wait until one's server is there."""
        page = f"{self.address}/hub/login"
        await self.client.get(page)
        form = {"username": self.name, "password": password}
        form["_xsrf"] = self._token("/hub/")["X-XSRFToken"]
        answer = await self.client.post(page, data=form)
        answer.raise_for_status()
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            # Signed in there by way of the hub, which shows a page of its own until then.
            answer = await self.client.get(f"{self.mine}/lab")
            if answer.status_code == 200 and answer.url.path.startswith(f"/user/{self.name}/"):
                return
            if answer.status_code == 424:  # it does not run: press the button
                await self.client.get(f"{self.address}/hub/spawn/{self.name}")
            await asyncio.sleep(1)
        raise TimeoutError("the server did not start")

    async def ask(self, method: str, path: str, content: object = None) -> dict:
        """Send a request to one's own server."""
        answer = await self.client.request(
            method, f"{self.mine}/{path}", json=content, headers=self._token(f"/user/{self.name}/")
        )
        answer.raise_for_status()
        return answer.json()

    async def assignments(self, action: str) -> list[str]:
        """Fetch or submit; return the states that the lesson has now."""
        about = {"course_id": COURSE, "assignment_id": self.lesson}
        answer = await self.ask("POST", f"assignments/{action}", about)
        assert answer["success"], answer
        return [row["status"] for row in answer["value"] if row["assignment_id"] == self.lesson]

    async def run(self, notebook: dict) -> None:
        """Run every code cell; an error is raised here."""
        path = f"{self.lesson}/{self.lesson}.ipynb"
        session = await self.ask(
            "POST", "api/sessions",
            {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}},
        )  # fmt: skip
        kernel = session["kernel"]["id"]
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.client.cookies.jar)
        async with websockets.connect(
            f"{self.mine.replace('http', 'ws', 1)}/api/kernels/{kernel}/channels",
            additional_headers={"Cookie": cookies}, max_size=None,
        ) as line:  # fmt: skip
            for cell in notebook["cells"]:
                if cell["cell_type"] == "code":
                    await self._run_cell(line, cell)
        await self.ask_nothing("DELETE", f"api/sessions/{session['id']}")

    async def ask_nothing(self, method: str, path: str) -> None:
        """Send a request whose answer is empty."""
        headers = self._token(f"/user/{self.name}/")
        answer = await self.client.request(method, f"{self.mine}/{path}", headers=headers)
        answer.raise_for_status()

    async def _run_cell(self, line: websockets.ClientConnection, cell: dict) -> None:
        wanted = uuid.uuid4().hex
        header = {"msg_id": wanted, "username": self.name, "session": self.name,
                  "msg_type": "execute_request", "version": "5.3"}  # fmt: skip
        content = {"code": cell["source"], "silent": False, "store_history": True,
                   "user_expressions": {}, "allow_stdin": False, "stop_on_error": True}  # fmt: skip
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content,
                   "channel": "shell", "buffers": []}  # fmt: skip
        await line.send(json.dumps(message))
        while True:
            said = json.loads(await asyncio.wait_for(line.recv(), SECONDS))
            if said["parent_header"].get("msg_id") != wanted or said["channel"] != "shell":
                continue
            assert said["content"]["status"] == "ok", said["content"]
            return

    async def whole_way(self, password: str) -> None:
        """Everything a student does."""
        await self.sign_in(password)
        assert "fetched" in await self.assignments("fetch")
        path = f"api/contents/{self.lesson}/{self.lesson}.ipynb"
        file = await self.ask("GET", path)
        for cell in file["content"]["cells"]:
            name = cell["metadata"].get("nbgrader", {}).get("grade_id")
            cell["source"] = ANSWERS.get(name, cell["source"])
        await self.run(file["content"])
        await self.ask("PUT", path, {"type": "notebook", "content": file["content"]})
        assert "submitted" in await self.assignments("submit")


async def main(address: str, lesson: str, names: list[str], password: str) -> None:
    """Let all go at once."""

    async def one(name: str) -> None:
        student, started, problem = Student(address, name, lesson), time.monotonic(), ""
        try:
            await student.whole_way(password)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        finally:
            await student.client.aclose()
        row = {"name": name, "problem": problem, "seconds": round(time.monotonic() - started, 1)}
        print(json.dumps(row), flush=True)

    await asyncio.gather(*(one(name) for name in names))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:], sys.stdin.readline().strip()))
