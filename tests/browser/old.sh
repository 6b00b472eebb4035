#!/usr/bin/env bash
# The pages in an old browser: every page in both languages and schemes, by Chromium 102, the oldest near version 100 that a
# package registry carries (@sparticuz/chrome-aws-lambda, MIT; Chromium itself BSD), with the remote control of its time.
#   tests/browser/old.sh [TEST…]   default: pages.test.mjs. Needs TONGDAO_BIN. 55 MB to fetch, once, into target/test-tools/old.
# That nothing newer than Chromium 100 is used at all is what tests/browser/unit/old.test.mjs reads out of the sources.
set -euo pipefail
cd "$(dirname "$0")/../.."
old=$PWD/target/test-tools/old
if [ ! -x "$old/chromium" ]; then
  npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps --prefix "$old" @sparticuz/chrome-aws-lambda@14.0.0 \
    playwright-core@1.30.0 axe-core@4.14.1 || { echo "skip: an old Chromium could not be installed"; exit 0; }
  node - "$old" <<'JS'
const { readFileSync, writeFileSync } = require("node:fs");
const { brotliDecompressSync } = require("node:zlib");
const old = process.argv[2];
const packed = `${old}/node_modules/@sparticuz/chrome-aws-lambda/bin/`;
writeFileSync(`${old}/chromium.new`, brotliDecompressSync(readFileSync(`${packed}chromium.br`)), { mode: 0o755 });
writeFileSync(`${old}/swiftshader.tar`, brotliDecompressSync(readFileSync(`${packed}swiftshader.tar.br`)));
JS
  tar xf "$old/swiftshader.tar" -C "$old"
  mv "$old/chromium.new" "$old/chromium"
fi
[ $# -gt 0 ] || set -- tests/browser/pages.test.mjs
TONGDAO_CHROMIUM="$old/chromium" TONGDAO_TEST_TOOLS="$old" node --test --test-concurrency=1 "$@"
