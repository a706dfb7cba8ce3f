// usage: dashboard_page.mjs PLAYWRIGHT_CORE URL [PICTURES]
//
// The dashboard in headless Chromium, of a pgweir under the load of dashboard_pgtest.cc: what it
// shows, that it goes on by itself and says when it gets no answer, that it asks nobody else, and that
// no statement's text becomes markup. With a folder PICTURES, screenshots are put there.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [playwright, url, pictures] = process.argv.slice(2);
const { chromium } = createRequire(import.meta.url)(playwright);
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });

// What the page says to the console or asks of others is a fault.
async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.faults = [];
  page.on('console', (message) => page.faults.push(message.text()));
  page.on('pageerror', (error) => page.faults.push(error.message));
  page.on('request', (request) => [url, `${url}dashboard.json`].includes(request.url()) || page.faults.push(request.url()));
  await page.goto(url);
  await page.locator('#digests tbody').first().waitFor();
  return page;
}

async function close(page) {
  assert.deepEqual(page.faults, []);
  await page.context().close();
}

const tile = (page, name) => page.locator('#tiles > div', { hasText: name }).locator('dd').first().innerText();
const figure = async (page, name) => Number((await tile(page, name)).replaceAll(',', '').split(' ')[0]);
const rows = (page, table) => page.locator(`#${table} tbody tr`).allInnerTexts();

// Asked again and again, because figures come every two seconds.
async function eventually(what, holds) {
  for (let i = 0; i < 40; i += 1) {
    if (await holds()) return;
    await new Promise((done) => setTimeout(done, 250));
  }
  assert.fail(`not in ten seconds: ${what}`);
}

async function showsTraffic() {
  const page = await open();
  await eventually('statements', async () => (await figure(page, 'statements/s')) > 10);
  await eventually('cache hits', async () => (await figure(page, 'cache hits')) > 0);
  await eventually('errors', async () => (await figure(page, 'errors')) > 0);
  assert.match(await tile(page, 'p95'), / (µs|ms|s)$/);
  assert.match(await tile(page, 'clients'), /^1 \/ /);
  assert.match(await page.locator('#process').innerText(), /serving, \d+ workers, up for/);
  assert.equal(await page.locator('canvas').count(), 4);
  await close(page);
}

async function showsPoolsServersAndShards() {
  const page = await open();
  const pools = await rows(page, 'pools');
  assert.equal(pools.length, 4);
  assert.ok(pools.every((row) => row.startsWith('market\tpostgres\t')), pools.join('\n'));
  await eventually('the load of each pattern', async () => {
    const shards = await rows(page, 'shards');
    return shards.length === 5 && /BTC\*\s+btc\s+[1-9]/.test(shards.join('\n'));
  });
  // Two of four symbols lie there.
  await eventually('bars as wide as the load', async () => {
    const widths = await page.locator('#shards .load').evaluateAll((bars) => bars.map((bar) => parseFloat(bar.style.width)));
    return Math.max(...widths) > 35 && Math.max(...widths) < 65;
  });
  await close(page);
}

async function showsDigests() {
  const page = await open();
  const texts = await page.locator('#digests code').allInnerTexts();
  assert.ok(texts.some((text) => /^select price from trades where symbol = [?$]/i.test(text)), texts.join('\n'));
  const slow = page.locator('#digests tbody', { hasText: 'pg_sleep' });
  assert.match(await slow.locator('.bar').getAttribute('title'), /server [89]\d\.\d %|server 100/);
  assert.equal(await page.locator('#digests b').count(), 0, 'text became markup');
  await close(page);
}

async function goesOnByItself() {
  const page = await open();
  const calls = async () => Number((await page.locator('#digests tbody td').nth(1).innerText()).replaceAll(',', ''));
  const first = await calls();
  await eventually('more calls', async () => (await calls()) > first);
  await page.route('**/dashboard.json', (route) => route.fulfill({ status: 503, body: '' }));
  await eventually('that there is no answer', async () => /no answer: HTTP 503/.test(await page.locator('#process').innerText()));
  await page.unroute('**/dashboard.json');
  await eventually('answers again', async () => /serving/.test(await page.locator('#process').innerText()));
  page.faults = page.faults.filter((fault) => !fault.includes('503'));
  await close(page);
}

async function fitsEveryScreen() {
  for (const [width, height] of [[1280, 1500], [390, 844]]) {
    for (const colorScheme of ['light', 'dark']) {
      const page = await open({ viewport: { width, height }, colorScheme });
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wider <= 0, `${width} px: ${wider} px too wide`);
      if (pictures) await page.screenshot({ path: join(pictures, `dashboard-${width}-${colorScheme}.png`) });
      await close(page);
    }
  }
}

let failed = 0;
for (const test of [showsTraffic, showsPoolsServersAndShards, showsDigests, goesOnByItself, fitsEveryScreen]) {
  try {
    await test();
    console.log(`ok ${test.name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED ${test.name}: ${error.stack}`);
  }
}
await browser.close();
process.exit(failed === 0 ? 0 : 1);
