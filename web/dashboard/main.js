const line = (label, format, more) => ({ label, points: { show: false }, width: 2, value: value(format), ...more });

// What each chart shows: {data, series, bands, formats} of the course.
const CHARTS = {
  'traffic-chart': ({ second, statements, errors, hits }) => ({
    data: [second, statements, hits, errors],
    series: [
      line('statements/s', rateText, { stroke: color('l1'), fill: `${color('l1')}30` }),
      line('from the cache/s', rateText, { stroke: color('l3') }),
      line('errors/s', rateText, { stroke: color('bad') }),
    ],
    formats: [rateText],
  }),
  'latency-chart': ({ second, statements, p50, p95, p99 }) => {
    const known = (times) => times.map((time, i) => (statements[i] > 0 ? time : null));
    return {
      data: [second, known(p50), known(p95), known(p99)],
      series: [
        line('p50', timeText, { stroke: color('l3') }),
        line('p95', timeText, { stroke: color('l2') }),
        line('p99', timeText, { stroke: color('l4') }),
      ],
      formats: [timeText],
    };
  },
  'split-chart': (course) => {
    const { columns, series, bands } = stack(PARTS, PARTS.map((part) => course[part]), rateText);
    return { data: [course.second, ...columns], series, bands, formats: [rateText] };
  },
  'pool-chart': ({ second, active, idle, waiting }) => ({
    data: [second, active, idle, waiting],
    series: [
      line('active', countText, { stroke: color('l1'), fill: `${color('l1')}30` }),
      line('idle', countText, { stroke: color('rest') }),
      line('clients waiting', countText, { stroke: color('queue') }),
    ],
    formats: [(count) => (Number.isInteger(count) ? countText(count) : '')],
  }),
};

// All that there is, and no less than a minute.
const span = () => {
  const { second } = now.course;
  const end = second.at(-1) ?? Date.now() / 1000;
  return [Math.min(second[0] ?? end, end - 60), end];
};

function showCharts() {
  for (const [id, chartOf] of Object.entries(CHARTS)) {
    const chart = chartOf(now.course);
    if (charts.has(id)) charts.get(id).setData(chart.data);
    else draw(id, { ...chart, range: span });
  }
}

function drawAnew() {
  for (const chart of charts.values()) chart.destroy();
  charts.clear();
  byId('legend').replaceChildren(...PARTS.map((part) => {
    const patch = element('i');
    patch.style.background = color(part);
    return element('span', {}, patch, part);
  }));
  if (now !== null) show();
}

function showTiles() {
  const statements = sum(latestFew('statements'));
  const reads = sum(latestFew('hits')) + sum(latestFew('misses'));
  const tiles = [
    ['statements/s', rateText(latest('statements'))],
    ['errors', shareText(sum(latestFew('errors')), statements)],
    ['p50', latest('statements') > 0 ? timeText(latest('p50')) : '–'],
    ['p95', latest('statements') > 0 ? timeText(latest('p95')) : '–'],
    ['p99', latest('statements') > 0 ? timeText(latest('p99')) : '–'],
    ['clients', `${countText(latest('clients') ?? 0)} / ${countText(now.max_clients)}`],
    ['active / idle', `${countText(latest('active') ?? 0)} / ${countText(latest('idle') ?? 0)}`],
    ['waiting', countText(latest('waiting') ?? 0)],
  ];
  if (now.cache !== undefined) {
    tiles.push(['cache hits', shareText(sum(latestFew('hits')), reads)]);
    tiles.push(['cache', `${bytesText(now.cache.bytes)} / ${bytesText(now.cache.max_bytes)}`]);
  }
  fillTiles('tiles', tiles);
}

function show() {
  const state = now.draining ? 'draining' : 'serving';
  byId('process').textContent = `${now.version}, ${state}, ${now.workers} workers, up for ${timeText(now.up_seconds * 1e6)}`;
  byId('process').className = now.draining ? 'bad' : '';
  showTiles();
  showCharts();
  showDigests();
  showPools();
  showServers();
  showShards();
}

async function goOn() {
  try {
    await ask();
    show();
  } catch (error) {
    byId('process').textContent = `no answer: ${error.message}`;
    byId('process').className = 'bad';
  }
  setTimeout(goOn, PERIOD * 1000);
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAnew);
drawAnew();
goOn();
