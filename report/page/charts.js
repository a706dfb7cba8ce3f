const charts = new Map(); // of the id of the element that a chart is in
const cursors = uPlot.sync('time');

// "10:30", with seconds where ticks are that close, and the day above its first tick.
function timeTicks(_, ticks) {
  const close = ticks.length > 1 && ticks[1] - ticks[0] < 60;
  const day = (second) => isoText(second).slice(5, 10);
  return ticks.map((second, i) => {
    const time = isoText(second).slice(11, close ? 19 : 16);
    return i > 0 && day(second) === day(ticks[i - 1]) ? time : `${time}\n${day(second)}`;
  });
}

function axes(formats) {
  const common = {
    stroke: color('soft'),
    grid: { stroke: color('line'), width: 1 },
    ticks: { stroke: color('line'), width: 1 },
    font: '12px system-ui, sans-serif',
  };
  const sides = formats.map((format, i) => ({
    ...common,
    scale: i === 0 ? 'y' : 'right',
    side: i === 0 ? 3 : 1,
    size: 64,
    grid: { ...common.grid, show: i === 0 },
    values: (_, ticks) => ticks.map(format),
  }));
  return [{ ...common, values: timeTicks }, ...sides];
}

const value = (format) => (chart, y) => format(y);

// Each point stands for the slot that begins there: drawn as steps, up to the slot's end.
const steps = uPlot.paths.stepped({ align: 1 });

// A time that has been dragged over is asked for, and shown when everything is drawn anew.
function onSelect(chart) {
  const { left, width } = chart.select;
  if (width < 4) return;
  showTime(chart.posToVal(left, 'x'), chart.posToVal(left + width, 'x'));
}

// formats: of the left and, where there is one, the right axis.
function draw(id, { data, series, bands, formats }) {
  const place = byId(id);
  charts.get(id)?.destroy();
  const chart = new uPlot(
    {
      width: place.clientWidth,
      height: 240,
      tzDate: (second) => uPlot.tzDate(new Date(second * 1000), 'Etc/UTC'), // whole hours have ticks
      scales: {
        x: { range: () => [filter.from, filter.to] },
        y: { range: (_, low, high) => [0, high > 0 ? high * 1.05 : 1] },
        right: { range: (_, low, high) => [0, high > 0 ? high * 1.05 : 1] },
      },
      axes: axes(formats),
      series: [{ value: (_, second) => (second === null ? '–' : momentText(second)) }, ...series],
      bands,
      legend: { markers: { fill: (shown, i) => shown.series[i].stroke() } },
      cursor: { sync: { key: cursors.key, setSeries: false }, drag: { x: true, y: false, setScale: false } },
      hooks: { setSelect: [onSelect] },
    },
    // The last slot ends where the chart does.
    [[...data[0], filter.to], ...data.slice(1).map((ys) => [...ys, ys.at(-1) ?? null])],
    place,
  );
  cursors.sub(chart);
  charts.set(id, chart);
}

// How each part's time is shown: {format, of(measures, part, width)}.
const SPLIT_MODES = {
  busy: { format: rateText, of: (m, part, width) => m[part] / 1e6 / width },
  mean: { format: timeText, of: (m, part) => (m.calls === 0 ? 0 : m[part] / m.calls) },
  share: {
    format: (share) => (share === null || share === undefined ? '–' : `${Math.round(share * 100)} %`),
    of: (m, part) => (m.total === 0 ? 0 : m[part] / m.total),
  },
};

function drawSplit() {
  const { times, measures } = course();
  const { format, of } = SPLIT_MODES[byId('split-mode').value];
  const parts = PARTS.map((part) => measures.map((m) => of(m, part, shownWidth())));
  // Each line is the sum of its part and those below it, and the band down to the next its part.
  const heights = parts.map((_, i) => times.map((__, t) => parts.slice(0, i + 1).reduce((s, p) => s + p[t], 0)));
  const order = PARTS.map((_, i) => PARTS.length - 1 - i); // the top one first
  draw('split-chart', {
    data: [times, ...order.map((i) => heights[i])],
    series: order.map((i) => ({
      label: PARTS[i],
      stroke: color(PARTS[i]),
      fill: i === 0 ? color(PARTS[i]) : undefined,
      width: 1,
      paths: steps,
      points: { show: false },
      value: (_, y, __, t) => format(t === null ? null : (parts[i][t] ?? parts[i][t - 1])),
    })),
    bands: order.slice(0, -1).map((i, k) => ({ series: [k + 1, k + 2], fill: color(PARTS[i]) })),
    formats: [format],
  });
}

function drawRate() {
  const { times, measures } = course();
  const width = shownWidth();
  const line = (label, format, more) => ({
    label, paths: steps, points: { show: false }, spanGaps: false, value: value(format), ...more,
  });
  draw('rate-chart', {
    data: [
      times,
      measures.map((m) => m.calls / width),
      measures.map((m) => m.errors / width),
      measures.map((m) => m.quantile(0.5)),
      measures.map((m) => m.quantile(0.95)),
    ],
    series: [
      line('statements/s', rateText, { stroke: color('rest'), fill: `${color('rest')}40`, width: 1 }),
      line('errors/s', rateText, { stroke: color('bad'), width: 1 }),
      line('p50', timeText, { scale: 'right', stroke: color('l3'), width: 2 }),
      line('p95', timeText, { scale: 'right', stroke: color('l2'), width: 2 }),
    ],
    formats: [rateText, timeText],
  });
}

// The first few digests of the table over time, by what they are ordered by.
const ORDERS = {
  total: { format: rateText, of: (m, width) => m.total / 1e6 / width },
  p95: { format: timeText, of: (m) => m.quantile(0.95) },
  calls: { format: rateText, of: (m, width) => m.calls / width },
};

function drawDigests(digests, order) {
  const { format, of } = ORDERS[order];
  const courses = digests.slice(0, 5).map(({ row }) => ({ row, ...courseOfDigest(row) }));
  draw('digest-chart', {
    data: [courses[0]?.times ?? [], ...courses.map(({ measures }) => measures.map((m) => of(m, report.by_digest.width)))],
    series: courses.map(({ row }, i) => ({
      label: digestName(row),
      stroke: color(`l${i + 1}`),
      width: 2,
      paths: steps,
      points: { show: false },
      value: value(format),
    })),
    formats: [format],
  });
}

new ResizeObserver(() => {
  for (const [id, chart] of charts) {
    const width = byId(id).clientWidth;
    if (width !== chart.width) chart.setSize({ width, height: chart.height });
  }
}).observe(document.body);
