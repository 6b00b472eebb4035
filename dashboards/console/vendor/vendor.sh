#!/usr/bin/env bash
# Makes the files of this folder again from pinned npm packages and compares them with what is committed.
#   vendor.sh          compares; exit 1 and a list of what differs
#                      (2: the packages could not be fetched)
#   vendor.sh --write  writes them (after raising a version below)
# Each file is one ES module without imports, minified for Chromium 100; its licence lies beside it. The font is cut to the
# letters of western European names and to the weights that the pages use: half of its size, with Python's fonttools.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
packages=(preact@11.2.0 htm@3.1.1 @preact/signals@2.11.4 @preact/signals-core@1.14.5 uplot@1.6.32 @fluent/bundle@0.19.1
  @fontsource-variable/ibm-plex-sans@5.3.0 esbuild@0.28.2)
tools=(fonttools==4.68.0 brotli==1.2.1)
letters=U+20-7E,U+A0-FF,U+2010-2015,U+2018-201E,U+2022,U+2026,U+2039,U+203A,U+20AC,U+2122,U+2190-2193,U+2212,U+2260,U+2264,U+2265
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
out="$work/out"
mkdir "$out"
npm install --silent --no-audit --no-fund --prefix "$work" "${packages[@]}" || exit 2
{ python3 -m venv "$work/python" && "$work/python/bin/pip" install -q --disable-pip-version-check "${tools[@]}"; } || exit 2

cat >"$work/preact.js" <<'JS'
import { h, render, Fragment, createContext, options } from "preact";
import { useCallback, useContext, useEffect, useErrorBoundary, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { batch, computed, effect, signal, untracked, useComputed, useSignal, useSignalEffect, Signal } from "@preact/signals";
import htm from "htm";
const html = htm.bind(h);
export { html, h, render, Fragment, createContext, options, useCallback, useContext, useEffect, useErrorBoundary, useId, useLayoutEffect,
  useMemo, useRef, useState, batch, computed, effect, signal, untracked, useComputed, useSignal, useSignalEffect, Signal };
JS
echo 'export { default } from "uplot";' >"$work/uplot.js"
echo 'export { FluentBundle, FluentResource, FluentNumber, FluentDateTime } from "@fluent/bundle";' >"$work/fluent.js"
for name in preact uplot fluent; do
  (cd "$work" && node_modules/.bin/esbuild "$name.js" --bundle --format=esm --minify --target=chrome100 --legal-comments=none --outfile="$out/$name.js" --log-level=warning)
done
"$work/node_modules/.bin/esbuild" "$work/node_modules/uplot/dist/uPlot.min.css" --minify --target=chrome100 --outfile="$out/uplot.css" --log-level=warning
modules="$work/node_modules"
(cd "$work/python/bin" && ./fonttools varLib.instancer "$modules/@fontsource-variable/ibm-plex-sans/files/ibm-plex-sans-latin-wght-normal.woff2" \
  wght=400:600 --no-recalc-timestamp -q -o "$work/plex.ttf" &&
  ./pyftsubset "$work/plex.ttf" --unicodes="$letters" --layout-features=kern,mark,mkmk,ccmp --name-IDs=0,1,2,13,14 --flavor=woff2 \
    --output-file="$out/plex-sans.woff2")
cp "$modules/preact/LICENSE" "$out/preact.LICENSE"
cp "$modules/htm/LICENSE" "$out/htm.LICENSE"
cp "$modules/@preact/signals/LICENSE" "$out/signals.LICENSE"
cp "$modules/uplot/LICENSE" "$out/uplot.LICENSE"
cp "$modules/@fontsource-variable/ibm-plex-sans/LICENSE" "$out/plex-sans.LICENSE"
# The package of fluent names its licence (Apache-2.0) without carrying the text; the text here is the licence's own.

if [ "${1:-}" = "--write" ]; then
  cp "$out"/* "$here/"
  exit 0
fi
status=0
for file in "$out"/*; do
  cmp -s "$file" "$here/$(basename "$file")" || { echo "differs from its package: vendor/$(basename "$file")"; status=1; }
done
exit $status
