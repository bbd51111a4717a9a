#!/usr/bin/env bash
# Runs once, as root, while Gradescope builds the image: a Python for the grader and what it needs.
set -euo pipefail

home="${AUTOGRADER:-/autograder}"
source="$home/source"

new_enough() { command -v "$1" > /dev/null && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; }

python=""
for name in python3 python3.13 python3.12 python3.11; do
  if new_enough "$name"; then python="$name"; break; fi
done
if [ -z "$python" ]; then
  apt-get update
  for name in python3.13 python3.12 python3.11; do
    if apt-get install -y "$name" && new_enough "$name"; then python="$name"; break; fi
  done
fi
if [ -z "$python" ]; then
  echo "There is no Python 3.11 or newer here. Choose a newer base image (Ubuntu 24.04, say)." >&2
  exit 1
fi

if ! "$python" -m venv "$source/venv"; then
  version="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
  apt-get update
  apt-get install -y "python$version-venv"
  "$python" -m venv --clear "$source/venv"
fi
"$source/venv/bin/python" -m pip install -r "$source/requirements.txt"
apt-get install -y bubblewrap || echo "No bubblewrap: notebooks run behind weaker walls, if any hold."

# A rehearsal: says what holds here, and remembers what notebooks import, so that runs are fast.
export PYTHONPATH="$source/package" PYTHONDONTWRITEBYTECODE=1 XDG_CACHE_HOME="$source/cache"
cd "$source/course"
mapfile -t assignment < "$source/assignment"
mapfile -t options < "$source/options"
"$source/venv/bin/python" -m grader doctor || true
code=0
"$source/venv/bin/python" -m grader run reference --out "$source/rehearsal" "${assignment[@]}" "${options[@]}" || code=$?
if [ "$code" -gt 1 ]; then
  echo "The reference could not be graded while the image was built; see above." >&2
fi
rm -rf "$source/rehearsal"
