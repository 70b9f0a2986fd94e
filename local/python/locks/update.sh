#!/bin/sh
# Resolves the *.in files into locks with hashes, for every platform and for Python 3.10 to 3.14. Needs uv >= 0.9 on PATH.
set -eu
cd "$(dirname "$0")"
uv pip compile --no-header --universal --python-version 3.10 --generate-hashes \
  --excludes runtime.excludes runtime.in -o runtime.txt "$@"
uv pip compile --no-header --universal --python-version 3.10 --generate-hashes tools.in -o tools.txt "$@"
