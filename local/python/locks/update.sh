#!/bin/sh
# Resolves the *.in files into locks with hashes, for every platform and for Python 3.10 to 3.14. Needs uv >= 0.9 on PATH.
# Further arguments go to uv, e.g. --upgrade.
set -eu
cd "$(dirname "$0")"
seed=../../../seed-code/model-build
compile() {
  uv pip compile --no-header --universal --python-version 3.10 --generate-hashes "$@"
}
compile --excludes $seed/requirements.excludes runtime.in -o runtime.txt "$@"
compile tools.in -o tools.txt "$@"
# The seed's lock is the part of the runtime's that a project needs.
cd $seed
compile --excludes requirements.excludes --constraints ../../local/python/locks/runtime.txt requirements.in -o requirements.txt "$@"
