const ROWS_AT_FIRST = 15;
let rowsShown = ROWS_AT_FIRST;
const opened = new Set(); // rows of report.digests

function digestName(row) {
  const { id, outline } = report.digests[row];
  if (id === '') return outline;
  return outline.length > 32 ? `${outline.slice(0, 31)}…` : outline || id;
}

// A node of EXPLAIN's JSON and those below it, as EXPLAIN prints them.
function planLines(node, depth, lines) {
  if (typeof node !== 'object' || node === null || depth > 60) return;
  const indent = '  '.repeat(depth);
  const on = [node['Index Name'] && `using ${node['Index Name']}`, node['Relation Name'] && `on ${node['Relation Name']}`];
  const cost = `(cost=${node['Startup Cost']}..${node['Total Cost']} rows=${node['Plan Rows']} width=${node['Plan Width']})`;
  lines.push(`${indent}${depth > 0 ? '-> ' : ''}${[node['Node Type'], ...on.filter(Boolean)].join(' ')}  ${cost}`);
  for (const key of ['Index Cond', 'Recheck Cond', 'Hash Cond', 'Merge Cond', 'Join Filter', 'Filter', 'Sort Key', 'Group Key']) {
    if (key in node) lines.push(`${indent}     ${key}: ${[].concat(node[key]).join(', ')}`);
  }
  for (const child of [].concat(node.Plans ?? [])) planLines(child, depth + 1, lines);
}

function planText(json) {
  try {
    const lines = [];
    planLines([].concat(JSON.parse(json))[0].Plan, 0, lines);
    return lines.length > 0 ? lines.join('\n') : json;
  } catch {
    return json; // not EXPLAIN's
  }
}

function sampleView(sample) {
  const [queue, server, transfer, client, total] = sample.time;
  const split = { queue, server, transfer, client, total, rest: total - queue - server - transfer - client };
  const [database, user, shards] = report.groups[sample.group];
  const facts = [
    ...PARTS.filter((part) => split[part] > 0).map((part) => `${part} ${timeText(split[part])}`),
    `${countText(sample.rows)} rows`,
    `${countText(sample.bytes)} bytes`,
  ];
  if (sample.retries > 0) facts.push(`${sample.retries} retries`);
  if (sample.cached) facts.push('from the cache');
  const whose = [`${user}@${database}`, shards.join(', '), sample.role, sample.application, sample.remote_host];
  if (sample.traceparent) whose.push(`trace ${sample.traceparent}`);
  const view = element(
    'div', { class: 'sample' },
    element('h3', {}, `${timeText(total)} · ${momentText(sample.at / 1e6)} UTC`),
    splitBar(split),
    element('p', {}, facts.join(' · ')),
    element('p', {}, `${whose.filter(Boolean).join(' · ')} · ${sample.where}`),
  );
  if (sample.error) view.append(element('p', { class: 'bad' }, `${sample.sqlstate ?? ''} ${sample.error}`.trim()));
  if (sample.sql) view.append(element('pre', {}, sample.sql));
  if (sample.parameters) view.append(element('pre', { class: 'parameters' }, sample.parameters));
  return view;
}

function samplePasses({ group, at }) {
  return passes(group) && at / 1e6 >= filter.from && at / 1e6 < filter.to;
}

function detailsOf(row) {
  const digest = report.digests[row];
  const view = element('div', { class: 'details' });
  const only = element('button', { type: 'button' }, 'Show only this digest in all charts');
  only.addEventListener('click', () => showDigest(row));
  view.append(only);
  if (digest.id !== '') view.append(element('p', {}, `digest ${digest.id} · seen from ${momentText(digest.first / 1e6)} to ${momentText(digest.last / 1e6)} UTC`));
  const samples = digest.samples.filter(samplePasses);
  if (samples.length === 0) view.append(element('p', {}, 'Its slowest statements did not pass the filters.'));
  view.append(...samples.map(sampleView));
  if (digest.plan) view.append(element('h3', {}, 'Plan'), element('pre', { class: 'plan' }, planText(digest.plan)));
  if (digest.plan_left_out) view.append(element('p', {}, 'Its plan is too long for this page; the log has it.'));
  return view;
}

function digestRows({ row, measures }, whole) {
  const number = (text, more = '') => element('td', { class: `number ${more}` }, text);
  const open = opened.has(row);
  const opener = element('button', { type: 'button', class: 'opener', 'aria-expanded': open }, report.digests[row].outline || '(no text)');
  const place = element('td', { colspan: 7 }, opener);
  if (open) place.append(detailsOf(row));
  opener.addEventListener('click', () => {
    if (!opened.delete(row)) opened.add(row);
    opener.setAttribute('aria-expanded', opened.has(row));
    opener.nextSibling?.remove();
    if (opened.has(row)) place.append(detailsOf(row));
  });
  return element(
    'tbody', { 'data-digest': report.digests[row].id },
    element(
      'tr', {},
      number(timeText(measures.total)),
      number(shareText(measures.total, whole), 'wide'),
      number(countText(measures.calls)),
      number(timeText(measures.mean), 'wide'),
      number(timeText(measures.p95)),
      number(countText(measures.errors), measures.errors > 0 ? 'wide bad' : 'wide'),
      element('td', {}, splitBar(measures)),
    ),
    element('tr', {}, place),
  );
}

function drawTable(digests, whole) {
  const table = byId('digests');
  for (const body of [...table.tBodies]) body.remove();
  table.append(...digests.slice(0, rowsShown).map((digest) => digestRows(digest, whole)));
  byId('more').hidden = digests.length <= rowsShown;
}
