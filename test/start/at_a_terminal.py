"""Runs a command at a pseudo-terminal of 120 columns, as a person does: waits for texts and types answers.

    at_a_terminal.py STEPS COMMAND...     STEPS is JSON: [[text to wait for, what to type], ...]

Prints what the terminal showed, without escape sequences, and ends with the command's exit code.
"""

import fcntl
import json
import os
import pty
import re
import struct
import sys
import termios

steps = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
print(json.dumps({"pid": pid}), flush=True)

shown, start = "", 0
while True:
    try:
        chunk = os.read(terminal, 65536)
    except OSError:
        break  # Linux says EIO when the last process of the terminal has ended.
    if not chunk:
        break
    shown += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", chunk.decode(errors="replace"))
    while steps and steps[0][0] in shown[start:]:
        start = shown.index(steps[0][0], start) + len(steps[0][0])
        os.write(terminal, steps.pop(0)[1].encode())
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(json.dumps({"shown": shown, "code": status, "left": steps}), flush=True)
