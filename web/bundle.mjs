// usage: bundle.mjs UPLOT_FOLDER OUT.cc
//
// Makes one page of each folder's index.html, its styles and scripts, those of common/, and uPlot, and
// writes them as the C++ strings of web/pages.h. A page's policy allows the scripts and styles by
// their hashes and forbids everything that it doesn't name.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const COMMON = ['format.js', 'charts.js', 'parts.js'];
const OWN = {
  report: ['data.js', 'charts.js', 'heatmap.js', 'digests.js', 'main.js'],
  dashboard: ['data.js', 'tables.js', 'main.js'],
};

const [uplot, output] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const read = (...path) => readFileSync(join(...path), 'utf8').trim();
const sha256 = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

// The page, cut where its data belongs.
function bundle(name) {
  const scripts = [...COMMON.map((script) => read(here, 'common', script)), ...OWN[name].map((script) => read(here, name, script))];
  const program = `${read(uplot, 'dist', 'uPlot.iife.min.js')}\n(() => {\n'use strict';\n${scripts.join('\n\n')}\n})();`;
  const styles = [read(uplot, 'dist', 'uPlot.min.css'), read(here, 'common', 'style.css'), read(here, name, 'style.css')].join('\n');
  const parts = {
    program,
    program_hash: sha256(program),
    styles, // uPlot sets style attributes by script, which no policy forbids
    styles_hash: sha256(styles),
    licence: read(uplot, 'LICENSE').replaceAll('&', '&amp;').replaceAll('<', '&lt;'),
  };
  const page = read(here, name, 'index.html').replace(/\{\{(\w+)\}\}/g, (hole, part) => parts[part] ?? hole);
  return `${page}\n`.split('{{data}}');
}

// A string literal has a length that every compiler takes, so it is put together of several.
function literal(text) {
  const pieces = text.match(/[^]{1,8000}/gu) ?? [''];
  return pieces.map((piece) => `R"~page~(${piece})~page~"`).join('\n');
}

const [head, tail] = bundle('report');
const [dashboard] = bundle('dashboard');
const strings = { kReportHead: head, kReportTail: tail, kDashboard: dashboard };
const definitions = Object.entries(strings).map(([name, text]) => `const std::string_view ${name} =\n${literal(text)};\n`);
writeFileSync(output, `#include "web/pages.h"

namespace pgweir::web {

${definitions.join('')}
}  // namespace pgweir::web
`);
