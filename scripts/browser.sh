#!/usr/bin/env bash
# A Chromium for the tests that open pages. One that is on the PATH is taken; else Debian's, as root; else Playwright's own.
set -euo pipefail
cd "$(dirname "$0")/.."
for name in chromium-headless-shell chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing Debian's chromium-headless-shell"
  (apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium-headless-shell) >/dev/null && exit 0
fi
.venv/bin/playwright install --only-shell chromium
