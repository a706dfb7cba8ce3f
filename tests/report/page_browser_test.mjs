// usage: page_browser_test.mjs PLAYWRIGHT_CORE PGWEIR MAKE_LOG [PICTURES]
//
// The page of `pgweir report` in headless Chromium: what it shows, its filters, that it loads
// nothing, and that no text of a log becomes markup. With a folder PICTURES, screenshots are put
// there.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [playwright, pgweir, makeLog, pictures] = process.argv.slice(2);
const { chromium } = createRequire(import.meta.url)(playwright);
const folder = mkdtempSync(join(tmpdir(), 'pgweir-page-'));

function makePage(name, ...options) {
  const log = join(folder, `${name}.json`);
  const page = join(folder, `${name}.html`);
  writeFileSync(log, execFileSync(makeLog, options, { maxBuffer: 1 << 28 }));
  const text = execFileSync(pgweir, ['report', log, '--html', page], { encoding: 'utf8' });
  return { url: pathToFileURL(page).href, text };
}

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });

// What the page says to the console or asks the network for is a fault.
async function open(url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.faults = [];
  page.on('console', (message) => page.faults.push(message.text()));
  page.on('pageerror', (error) => page.faults.push(error.message));
  page.on('request', (request) => request.url() === url || page.faults.push(request.url()));
  await page.goto(url);
  await page.locator('#digests tbody').first().waitFor();
  return page;
}

async function close(page) {
  assert.deepEqual(page.faults, []);
  await page.context().close();
}

const tile = (page, name) => page.locator('#tiles > div', { hasText: name }).locator('dd').first().innerText();
const outlines = (page) => page.locator('.opener').allInnerTexts();

async function agreesWithTheTable({ url, text }) {
  const page = await open(url);
  assert.equal(await tile(page, 'statements'), '20,000');
  assert.match(text, /^20,000 statements/);
  for (const quantile of ['p50', 'p95', 'p99']) {
    assert.equal(text.match(new RegExp(`${quantile} (\\S+ \\S+)`))[1], await tile(page, quantile));
  }
  assert.match(await page.locator('#verdict').innerText(), /waiting for a server connection/);
  assert.equal(await page.locator('canvas').count(), 3);
  assert.equal(await page.locator('#heat tbody tr').count(), 5);
  const first = page.locator('#digests tbody').first();
  assert.match(text.split('digests by total time')[1], new RegExp(await first.getAttribute('data-digest')));
  await close(page);
}

// The bad half hour is seen in the queue, and nowhere else.
async function filtersByTime({ url }) {
  const page = await open(url);
  await page.locator('#from').fill('2026-11-21T11:00');
  assert.doesNotMatch(await page.locator('#verdict').innerText(), /server connection/);
  assert.notEqual(await tile(page, 'statements'), '20,000');
  await page.locator('#reset').click();
  assert.equal(await tile(page, 'statements'), '20,000');

  const box = await page.locator('#split-chart .u-over').boundingBox();
  await page.mouse.move(box.x + box.width * 0.4, box.y + 50);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.48, box.y + 60, { steps: 4 });
  await page.mouse.up();
  assert.match(await page.locator('#from').inputValue(), /T10:0/);
  assert.match(await page.locator('#verdict').innerText(), /^[78]\d.* server connection/);
  await close(page);
}

async function filtersByName({ url }) {
  const page = await open(url);
  await page.locator('#user').selectOption('export');
  assert.match(await page.locator('#verdict').innerText(), /clients that did not read/);
  assert.deepEqual(await outlines(page), ['SELECT * FROM trades WHERE ts < ?']);
  await page.locator('#database').selectOption('market');
  assert.equal(await tile(page, 'statements'), '0');
  await page.locator('#reset').click();
  const all = await outlines(page);
  await page.locator('#shard').selectOption('db_b');
  assert.equal(await page.locator('#heat tbody tr').count(), 1);
  assert.equal(all.length, 6);
  await close(page);
}

async function showsSamplesAndPlans({ url }) {
  const page = await open(url, { viewport: { width: 1280, height: 2400 } });
  await page.locator('#order').selectOption('calls');
  await page.locator('.opener').first().click();
  const details = page.locator('.details').first();
  assert.equal(await details.locator('.sample').count(), 3);
  assert.match(await details.locator('.sample pre').first().innerText(), /^SELECT price, quantity FROM trades WHERE symbol = '[A-Z]+'/);
  assert.match(await details.locator('.plan').innerText(), /^Sort .*\n.*Sort Key: ts DESC\n +-> Index Scan using trades_symbol on trades/);
  const shown = page.locator('#digests tbody').first();
  if (pictures) await shown.screenshot({ path: join(pictures, 'report-digest.png') });
  await page.locator('.opener', { hasText: 'FROM candles' }).click();
  assert.match(await page.locator('.parameters').first().innerText(), /^\$1 = '[A-Z]+', \$2 = /);
  await details.locator('button').click();
  assert.equal((await outlines(page)).length, 1);
  assert.match(await page.locator('#only-digest').innerText(), /Only SELECT price/);
  await page.locator('#only-digest button').click();
  assert.equal((await outlines(page)).length, 6);
  await close(page);
}

async function everyChoiceDraws({ url }) {
  const page = await open(url);
  for (const id of ['split-mode', 'heat-metric', 'heat-columns', 'order']) {
    const choices = page.locator(`#${id}`);
    for (const value of await choices.locator('option').evaluateAll((all) => all.map((o) => o.value))) {
      await choices.selectOption(value, { force: true });
      assert.equal(await page.locator('canvas').count(), 3);
    }
  }
  await close(page);
}

async function isHarmlessWithHostileLogs({ url, text }) {
  assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
  const page = await open(url);
  assert.equal(await page.title(), 'pgweir report');
  for (const opener of await page.locator('.opener').all()) await opener.click();
  for (const name of ['img', 'u', 'b', 'i', 'body script:nth-of-type(3)']) {
    assert.equal(await page.locator(name).count(), 0, name);
  }
  assert.ok((await page.locator('.details').allInnerTexts()).some((t) => t.includes('</script><script>document.title')));
  assert.match(await page.locator('#lines').innerText(), /4 lines that are not pgweir's, 8 broken lines/);
  await close(page);
}

async function fitsEveryScreen({ url }) {
  for (const [width, height] of [[1280, 1000], [390, 844]]) {
    for (const colorScheme of ['light', 'dark']) {
      const page = await open(url, { viewport: { width, height }, colorScheme });
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wider <= 0, `${width} px: ${wider} px too wide`);
      if (pictures) await page.screenshot({ path: join(pictures, `report-${width}-${colorScheme}.png`) });
      await close(page);
    }
  }
}

let failed = 0;
async function run(test, page) {
  try {
    await test(page);
    console.log(`ok ${test.name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED ${test.name}: ${error.stack}`);
  }
}

try {
  const market = makePage('market', '--lines', '20000');
  const hostile = makePage('hostile', '--lines', '4000', '--hostile');
  const longest = makePage('long', '--lines', '3000', '--hours', '60');
  for (const test of [agreesWithTheTable, filtersByTime, filtersByName, showsSamplesAndPlans]) {
    await run(test, market);
  }
  await run(everyChoiceDraws, longest);
  await run(isHarmlessWithHostileLogs, hostile);
  await run(fitsEveryScreen, market);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
process.exit(failed === 0 ? 0 : 1);
