"""Which system calls a room may not make, as a program for the kernel's filter.

A list of what is denied, not of what is allowed: numerical libraries use too many calls to list.
Numbers are those of ``asm/unistd_64.h`` (x86-64) and ``asm-generic/unistd.h`` (AArch64).
"""

import errno
import platform
import struct

# name: (x86-64, AArch64); None where the architecture has no such call
_DENIED: dict[str, tuple[int | None, int | None]] = {
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    # memory that belongs to no process and to no file system of the room: nobody would count it
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "io_setup": (206, 0),
    # namespaces and mounts
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467),
    "open_by_handle_at": (304, 265),
    # parts of the kernel that have been the way out of sandboxes
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "syslog": (103, 116),
    "acct": (163, 89),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "personality": (135, 92),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "fanotify_init": (300, 262),
    "lookup_dcookie": (212, 18),
    "vhangup": (153, 58),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
}
_CLONE = (56, 220)
_CLONE3 = (435, 435)
_SOCKET = (41, 198)
_IOCTL = (16, 29)
_NEW_NAMESPACES = 0x7E020080  # every CLONE_NEW… flag
_TERMINAL_INPUT = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX: type into a terminal
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000
# AF_UNIX, AF_INET, AF_INET6: the namespace has no network, so these two fail later and politely.
# ZeroMQ takes "not supported" for an answer, and aborts at any other.
_FAMILIES = (1, 2, 10)

_LOAD, _JUMP_EQUAL, _JUMP_SET, _JUMP_GREATER, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_ERRNO = 0x00050000
_NUMBER, _ARCHITECTURE = 0, 4


def supported() -> bool:
    """Whether the numbers of this processor's calls are known here."""
    return platform.machine() in _AUDIT_ARCH


def _argument(place: int) -> int:
    return 16 + 8 * place  # low half; both processors are little-endian


def program() -> bytes:
    """Assemble the filter.

    Returns
    -------
    bytes
        Instructions of classic BPF.
    """
    machine = platform.machine()
    column = 0 if machine == "x86_64" else 1
    code: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":  # the other set of numbers for the same calls
        code += [(_JUMP_GREATER, 0, 1, _X32), (_RETURN, 0, 0, _KILL)]

    def deny(number: int, error: int) -> None:
        code.extend([(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | error)])

    # The C library asks for clone3 first and takes clone when there is none; its flags can be seen.
    deny(_CLONE3[column], errno.ENOSYS)
    for numbers in _DENIED.values():
        if numbers[column] is not None:
            deny(numbers[column], errno.EPERM)
    code += [
        (_JUMP_EQUAL, 0, 4, _CLONE[column]),
        (_LOAD, 0, 0, _argument(0)),
        (_JUMP_SET, 0, 1, _NEW_NAMESPACES),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
        (_JUMP_EQUAL, 0, 5, _IOCTL[column]),
        (_LOAD, 0, 0, _argument(1)),
        (_JUMP_EQUAL, 1, 0, _TERMINAL_INPUT[0]),
        (_JUMP_EQUAL, 0, 1, _TERMINAL_INPUT[1]),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
        (_JUMP_EQUAL, 0, 2 + len(_FAMILIES), _SOCKET[column]),
        (_LOAD, 0, 0, _argument(0)),
    ]
    for place, family in enumerate(_FAMILIES):
        code.append((_JUMP_EQUAL, len(_FAMILIES) - place, 0, family))
    code += [
        (_RETURN, 0, 0, _ERRNO | errno.EOPNOTSUPP),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)
