"""Imported by the process that workers of this machine are forked from, and by nobody else.

Ctrl-C reaches every process of the terminal. Workers are ended by the command that started them;
forked from a process that takes no notice, they take none either, from the first moment.
"""

import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)
