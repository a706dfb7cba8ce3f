// usage: fetch_npm_package.mjs NPM NAME@VERSION sha512-HASH FOLDER
//
// Unpacks a package of the npm registry that this machine is set up for into FOLDER, if it is the
// very one that is meant. Nothing of the package is run.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';

const [npm, wanted, integrity, folder] = process.argv.slice(2);

function fail(message) {
  console.error(`${wanted}: ${message}`);
  process.exit(1);
}

function pack(into) {
  const options = ['--silent', '--ignore-scripts', '--prefer-offline', '--no-update-notifier'];
  try {
    execFileSync(npm, ['pack', wanted, ...options], { cwd: into, stdio: ['ignore', 'ignore', 'inherit'] });
  } catch {
    fail('npm pack failed; is the npm registry within reach?');
  }
  return join(into, readdirSync(into).find((name) => name.endsWith('.tgz')));
}

mkdirSync(dirname(folder), { recursive: true });
const draft = mkdtempSync(`${folder}-`);
process.on('exit', () => rmSync(draft, { recursive: true, force: true }));
const archive = pack(draft);
const hash = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
if (hash !== integrity) fail(`its hash is ${hash}, not ${integrity}`);
execFileSync('tar', ['-xzf', archive, '-C', draft, '--no-same-owner']);
rmSync(folder, { recursive: true, force: true });
renameSync(join(draft, 'package'), folder);
// The archive's times are older than what the build compares them with.
const now = new Date();
utimesSync(join(folder, 'package.json'), now, now);
