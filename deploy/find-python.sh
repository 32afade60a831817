#!/bin/sh
# Prints a Python that pilah runs on: $PYTHON if it is set, else the first that is found.
fits='import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
for python in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if "$python" -c "$fits" 2>/dev/null; then
        echo "$python"
        exit 0
    fi
    found="${found:+$found, }$python: $("$python" --version 2>/dev/null || echo not found)"
done
echo "pilah needs Python 3.11, 3.12 or 3.13 with its venv module. Found: $found." >&2
echo "Install one, or name it: make setup PYTHON=/path/to/python3.13" >&2
exit 1
