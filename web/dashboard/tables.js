const cell = (text, kind = '') => element('td', kind === '' ? {} : { class: kind }, text);
const number = (text, kind = '') => cell(text, `number ${kind}`.trim());

function fill(id, rows) {
  byId(id).tBodies[0].replaceChildren(...rows);
}

function bytesText(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const unit = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1);
  return `${Number((bytes / 1024 ** unit).toPrecision(3))} ${units[unit]}`;
}

function showPools() {
  fill('pools', now.pools.map((pool) => element(
    'tr', {}, cell(pool.database), cell(pool.user), cell(pool.node), number(countText(pool.active)),
    number(countText(pool.idle)), number(countText(pool.connecting), 'wide'),
    number(countText(pool.waiting), pool.waiting > 0 ? 'bad' : ''),
    number(pool.waiting > 0 ? timeText(pool.longest_us) : '–'),
  )));
}

function lagText(server) {
  const parts = [];
  if (server.lag_us !== undefined) parts.push(timeText(server.lag_us));
  if (server.lag_bytes !== undefined) parts.push(bytesText(server.lag_bytes));
  return parts.join(', ') || '–';
}

function showServers() {
  fill('servers', now.servers.map((server) => element(
    'tr', {}, cell(server.node === server.database ? server.node : `${server.database}/${server.node}`),
    cell(`${server.host}:${server.port}`), cell(server.role),
    cell(server.state, server.state === 'down' ? 'bad' : ''), number(lagText(server)),
    cell(server.error ?? '', 'said wide'),
  )));
}

function showShards() {
  byId('shards-section').hidden = now.shards.length === 0;
  const rates = now.shards.map((shard) => {
    const same = (other) => other.database === shard.database && other.pattern === shard.pattern;
    return { shard, statements: rate('shards', same, 'statements'), rows: rate('shards', same, 'rows') };
  });
  const all = sum(rates.map(({ statements }) => statements ?? 0));
  fill('shards', rates.map(({ shard, statements, rows }) => {
    const bar = element('div', { class: 'load' });
    bar.style.width = `${all === 0 ? 0 : (100 * statements) / all}%`;
    return element(
      'tr', {}, cell(shard.database, 'wide'), cell(shard.pattern), cell(shard.node),
      number(rateText(statements)), number(rateText(rows), 'wide'), element('td', { class: 'split' }, bar),
    );
  }));
}

// Two rows each: the figures, and what it is. Those that stay keep their place in the document.
function showDigests() {
  const table = byId('digests');
  for (const body of [...table.tBodies]) body.remove();
  for (const digest of now.digests) {
    const whose = digest.database === '' ? '' : ` ${digest.user}@${digest.database}`;
    table.append(element(
      'tbody', { 'data-digest': digest.digest },
      element(
        'tr', {}, number(timeText(digest.total)), number(countText(digest.calls)),
        number(timeText(digest.calls === 0 ? 0 : digest.total / digest.calls), 'wide'),
        number(timeText(digest.p95)), number(countText(digest.errors), digest.errors > 0 ? 'wide bad' : 'wide'),
        number(shareText(digest.hits, digest.calls), 'wide'), element('td', { class: 'split' }, splitBar(digest)),
      ),
      element('tr', { class: 'sql' }, element('td', { colspan: '7' }, element('code', {}, digest.text), whose)),
    ));
  }
}
