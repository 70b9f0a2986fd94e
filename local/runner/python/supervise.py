"""Runs one program as a container would: /opt/ml is its own, and nothing of it outlives it or the platform.

    supervise.py [--bind DIRECTORY --scratch DIRECTORY] [--isolate network] -- PROGRAM ARGUMENT...
    supervise.py --probe SCRATCH

File descriptor 3 is a pipe whose other end only the platform holds: when the platform is gone, however it ended, the pipe
closes and everything below this process is killed. SIGTERM goes to the whole process group, so this process ignores it and
waits for the program. The exit code is the program's; 128 + N when signal N ended it, 127 when it cannot be started.

--bind shows DIRECTORY as /opt/ml in a mount namespace of the program's own. When /opt/ml does not exist on this machine, /opt
is overlaid for it inside the namespace; /opt itself and everything in it stay visible and nothing on the disk changes.
--isolate network gives the program a network namespace without any address (network isolation of a job).
--probe tells by its exit code whether that works on this machine. Standard library only; Linux and macOS.
"""

import os
import select
import signal
import sys

LIFELINE = 3
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def libc():
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result != 0:
        import ctypes

        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def mount(source, target, kind, flags, options=None):
    def encoded(text):
        return None if text is None else text.encode()

    check(libc().mount(encoded(source), encoded(target), encoded(kind), flags, encoded(options)), f"mount {target}")


def enter_namespace(isolated):
    """A mount namespace of our own; as a plain user inside a user namespace that maps the user to itself."""
    uid, gid = os.geteuid(), os.getegid()
    kinds = CLONE_NEWNS | (CLONE_NEWNET if isolated else 0)
    if uid == 0:
        check(libc().unshare(kinds), "unshare")
    else:
        check(libc().unshare(CLONE_NEWUSER | kinds), "unshare")
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    mount(None, "/", None, MS_REC | MS_PRIVATE)


def show_as_opt_ml(directory, scratch, isolated=False):
    enter_namespace(isolated)
    if not os.path.isdir("/opt/ml"):
        # The upper layer lies in memory: inside containers the disk itself is often an overlay, which cannot be one.
        mount("tmpfs", scratch, "tmpfs", 0)
        before = os.getcwd()
        # Relative names, because commas and colons of a path would end an option.
        os.chdir(scratch)
        os.makedirs("upper/ml")
        os.makedirs("work")
        mount("overlay", "/opt", "overlay", 0, "lowerdir=/opt,upperdir=upper,workdir=work")
        os.chdir(before)
    mount(directory, "/opt/ml", None, MS_BIND | MS_REC)


def descendants():
    """Process ids of everything below this process (Linux)."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as file:
                    parents[int(entry)] = int(file.read().rpartition(")")[2].split()[1])
            except OSError:
                pass
    found, wave = [], {os.getpid()}
    while wave:
        wave = {child for child, parent in parents.items() if parent in wave}
        found.extend(wave)
    return found


def kill_all():
    """Kills what is left, on Linux also what has left the process group; returns when nothing is."""
    if sys.platform != "linux" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGTERM)  # which this process itself ignores
    while True:
        if sys.platform == "linux":
            for process in descendants():
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def start(command):
    parent = os.getpid()
    pid = os.fork()
    if pid != 0:
        return pid
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.close(LIFELINE)
        if sys.platform == "linux":
            libc().prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    os._exit(127)


def supervise(command):
    if sys.platform == "linux":
        libc().prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    child = start(command)
    while True:
        # Collect whatever has ended; orphans of the program come to us too.
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                if pid == child:
                    signal.set_wakeup_fd(-1)
                    kill_all()
                    code = os.waitstatus_to_exitcode(status)
                    return code if code >= 0 else 128 - code
        except ChildProcessError:
            return 1
        ready, _, _ = select.select([wake, LIFELINE], [], [])
        if LIFELINE in ready:
            if sys.platform == "linux":
                kill_all()
            elif os.getpgrp() == os.getpid():
                os.killpg(0, signal.SIGKILL)
            return 128 + signal.SIGKILL
        os.read(wake, 1024)


def main(arguments):
    if arguments[:1] == ["--probe"]:
        scratch = arguments[1]
        shown, overlay = os.path.join(scratch, "ml"), os.path.join(scratch, "overlay")
        os.makedirs(os.path.join(shown, "probe"), exist_ok=True)
        os.makedirs(overlay, exist_ok=True)
        show_as_opt_ml(shown, overlay)
        return 0 if os.path.isdir("/opt/ml/probe") else 1
    options = {}
    while arguments[0] != "--":
        options[arguments[0]] = arguments[1]
        arguments = arguments[2:]
    if "--bind" in options:
        show_as_opt_ml(options["--bind"], options["--scratch"], options.get("--isolate") == "network")
    return supervise(arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
