#!/bin/sh
# Removes pip, setuptools, wheel and ensurepip from a Python, which then can install nothing.
# Usage: remove_build_tools.sh PREFIX   (for example /usr/local)
set -eu
prefix="$1"
for library in "$prefix"/lib/python3.*; do
  rm -rf "$library/ensurepip"
  for tool in pip setuptools wheel _distutils_hack pkg_resources; do
    rm -rf "$library/site-packages/$tool" "$library/site-packages/$tool"-*.dist-info
  done
  rm -f "$library/site-packages/distutils-precedence.pth"
done
rm -f "$prefix"/bin/pip* "$prefix"/bin/wheel
