// usage: bundle.mjs UPLOT_FOLDER OUT.cc
//
// Makes one page of index.html, the styles and scripts beside it and uPlot, and writes it as the two
// C++ strings of report/page_parts.h, before and behind the data. The page's policy allows the
// scripts by their hashes and forbids everything else.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [uplot, output] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const read = (...path) => readFileSync(join(...path), 'utf8').trim();

const scripts = ['data.js', 'format.js', 'charts.js', 'heatmap.js', 'digests.js', 'main.js'];
const own = scripts.map((name) => read(here, name)).join('\n\n');
const program = `${read(uplot, 'dist', 'uPlot.iife.min.js')}\n(() => {\n'use strict';\n${own}\n})();`;
const styles = `${read(uplot, 'dist', 'uPlot.min.css')}\n${read(here, 'style.css')}`;
const sha256 = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const parts = {
  // uPlot sets style attributes by script, which no policy forbids; <style> has its hash.
  policy: `default-src 'none'; script-src ${sha256(program)}; style-src ${sha256(styles)}; img-src data:`,
  styles,
  program,
  licence: read(uplot, 'LICENSE').replaceAll('&', '&amp;').replaceAll('<', '&lt;'),
};
const page = read(here, 'index.html').replace(/\{\{(\w+)\}\}/g, (hole, name) => parts[name] ?? hole);
const [head, tail, ...more] = page.split('{{data}}');
if (tail === undefined || more.length > 0) throw new Error('index.html needs {{data}} once');

// A string literal has a length that every compiler takes, so it is put together of several.
function literal(text) {
  const pieces = text.match(/[^]{1,8000}/gu) ?? [''];
  return pieces.map((piece) => `R"~page~(${piece})~page~"`).join('\n');
}

writeFileSync(output, `#include "report/page_parts.h"

namespace pgweir::report {

const std::string_view kPageHead =
${literal(head)};
const std::string_view kPageTail =
${literal(`${tail}\n`)};

}  // namespace pgweir::report
`);
