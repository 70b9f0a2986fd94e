"""Where /opt/ml cannot be shown at its own place: rewrites that path in copies of scripts, those in source archives included.

    rewrite.py BASE FOLDER        BASE takes the place of /opt/ml in everything below FOLDER

Data is never touched: only files whose names say that they are scripts or settings, and archives named sourcedir.tar.gz.
Compiled code and paths that a program makes up at run time are missed.
"""

import io
import re
import sys
import tarfile
from pathlib import Path

# Not /opt/mlflow, not /data/opt/ml.
OPT_ML = re.compile(rb"(?<![\w/.-])/opt/ml(?![\w-])")
SCRIPTS = {".py", ".sh", ".bash", ".r", ".toml", ".cfg", ".ini", ".yml", ".yaml"}
LARGEST = 1024 * 1024
ARCHIVE = "sourcedir.tar.gz"


def is_script(name, size):
    return Path(name).suffix.lower() in SCRIPTS and size <= LARGEST


def rewritten(content, base):
    return OPT_ML.sub(lambda _: base.encode(), content)


def rewrite_archive(path, base):
    """The archive anew, each member as it was but for the scripts' content."""
    with tarfile.open(path) as source:
        members = [(member, source.extractfile(member).read() if member.isfile() else None) for member in source]
    with tarfile.open(path, "w:gz") as target:
        for member, content in members:
            if content is not None and is_script(member.name, member.size):
                content = rewritten(content, base)
                member.size = len(content)
            target.addfile(member, None if content is None else io.BytesIO(content))


def rewrite_folder(folder, base):
    for path in sorted(Path(folder).rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        if path.name == ARCHIVE and tarfile.is_tarfile(path):
            rewrite_archive(path, base)
        elif is_script(path.name, path.stat().st_size):
            content = path.read_bytes()
            changed = rewritten(content, base)
            if changed != content:
                path.write_bytes(changed)


if __name__ == "__main__":
    rewrite_folder(sys.argv[2], sys.argv[1])
