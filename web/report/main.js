const VERDICTS = {
  queue: 'waiting for a server connection: the pool was full. Look for long transactions in the digests, or give the pool more connections.',
  server: 'at the server, until its first byte: look at the slowest digests, their plans and the shard they ran on.',
  transfer: 'bringing rows over: answers are large, or the server makes them row by row.',
  client: 'blocked on clients that did not read their answers: look at the applications and their networks.',
  rest: 'in none of the parts the log tells apart: routing, connecting, preparing the session, or a log without them.',
};

function drawVerdict(all) {
  const heaviest = [...PARTS].sort((a, b) => all[b] - all[a])[0];
  const text = all.calls === 0
    ? 'No statement passes these filters.'
    : `${shareText(all[heaviest], all.total)} of the time went by ${VERDICTS[heaviest]}`;
  byId('verdict').textContent = text;
  byId('verdict').style.borderLeftColor = color(heaviest);
}

function drawTiles(all) {
  fillTiles('tiles', [
    ['statements', countText(all.calls)],
    ['total time', timeText(all.total)],
    ['p50', timeText(all.quantile(0.5))],
    ['p95', timeText(all.quantile(0.95))],
    ['p99', timeText(all.quantile(0.99))],
    ['errors', countText(all.errors)],
    ['from the cache', shareText(all.cached, all.calls)],
    ['rows', all.rows.toLocaleString('en-US', { notation: 'compact' })],
  ]);
}

function drawFilters() {
  for (const name of ['database', 'user', 'shard']) byId(name).value = filter[name];
  byId('from').value = isoText(filter.from).slice(0, 19);
  byId('to').value = isoText(filter.to).slice(0, 19);
  byId('only-digest').hidden = filter.digest === null;
  if (filter.digest !== null) byId('only-digest').firstElementChild.textContent = `Only ${digestName(filter.digest)}`;
}

function drawDigestPart() {
  const order = byId('order').value;
  const digests = digestsBy(order);
  drawDigests(digests, order);
  drawTable(digests, sum().total);
}

function drawAll() {
  const all = sum();
  drawFilters();
  drawVerdict(all);
  drawTiles(all);
  drawSplit();
  drawRate();
  drawHeat();
  drawDigestPart();
}

function showTime(from, to) {
  setTime(from, to);
  drawAll();
}

function showDigest(row) {
  filter.digest = row;
  drawAll();
}

// An <option> for each name that occurs, and one for all.
function fillChoice(id, names) {
  const known = [...new Set(names)].filter((name) => name !== '').sort();
  byId(id).append(element('option', { value: '' }, 'all'), ...known.map((name) => element('option', { value: name }, name)));
  byId(id).addEventListener('change', (event) => {
    filter[id] = event.target.value;
    drawAll();
  });
}

function readTimes() {
  const second = (id) => Date.parse(`${byId(id).value}Z`) / 1000;
  const [from, to] = [second('from'), second('to')];
  if (from < to) showTime(from, to);
}

function showLines() {
  const { statements, filtered, other, broken } = report.lines;
  const counts = [`${countText(statements)} statements`, `${countText(other)} lines that are not pgweir's`, `${countText(broken)} broken lines`];
  if (filtered > 0) counts.push(`${countText(filtered)} statements filtered out on the command line`);
  byId('lines').append(element('p', {}, `${report.files.join(', ')}: ${counts.join(', ')}.`));
  if (report.faults.length > 0) byId('lines').append(element('pre', {}, report.faults.join('\n')));
}

function start() {
  byId('span').textContent = `${momentText(report.first / 1e6)} to ${momentText(report.last / 1e6)} UTC`;
  const used = new Set(report.traffic.cells.map(([group]) => group));
  const groups = report.groups.filter((_, group) => used.has(group));
  fillChoice('database', groups.map(([database]) => database));
  fillChoice('user', groups.map(([, user]) => user));
  fillChoice('shard', groups.flatMap(([, , shards]) => shards));
  for (const id of ['from', 'to']) byId(id).addEventListener('change', readTimes);
  for (const [id, redraw] of [['split-mode', drawSplit], ['heat-metric', drawHeat], ['heat-columns', drawHeat], ['order', drawDigestPart]]) {
    byId(id).addEventListener('change', redraw);
  }
  byId('filters').addEventListener('reset', (event) => {
    event.preventDefault(); // else empties the times
    Object.assign(filter, { database: '', user: '', shard: '', digest: null }, wholeTime());
    drawAll();
  });
  byId('only-digest').lastElementChild.addEventListener('click', () => showDigest(null));
  byId('more').addEventListener('click', () => {
    rowsShown += 50;
    drawDigestPart();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
  Object.assign(filter, wholeTime());
  showLines();
  drawAll();
}

start();
