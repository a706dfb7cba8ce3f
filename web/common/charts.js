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

// formats: of the left and, where there is one, the right axis. range: of the time that is shown.
function draw(id, { data, series, bands, formats, range, onSelect }) {
  const place = byId(id);
  charts.get(id)?.destroy();
  const chart = new uPlot(
    {
      width: place.clientWidth,
      height: 240,
      tzDate: (second) => uPlot.tzDate(new Date(second * 1000), 'Etc/UTC'), // whole hours have ticks
      scales: {
        x: { range },
        y: { range: (_, low, high) => [0, high > 0 ? high * 1.05 : 1] },
        right: { range: (_, low, high) => [0, high > 0 ? high * 1.05 : 1] },
      },
      axes: axes(formats),
      series: [{ value: (_, second) => (second === null ? '–' : momentText(second)) }, ...series],
      bands,
      legend: { markers: { fill: (shown, i) => shown.series[i].stroke() } },
      cursor: {
        sync: { key: cursors.key, setSeries: false },
        drag: { x: onSelect !== undefined, y: false, setScale: false },
      },
      hooks: { setSelect: onSelect === undefined ? [] : [onSelect] },
    },
    data,
    place,
  );
  cursors.sub(chart);
  charts.set(id, chart);
}

// Parts on top of each other, the first lowest: {columns, series, bands} of a chart. Each line is the
// sum of its part and those below it, and the band down to the next its part.
function stack(names, parts, format, paths) {
  const sums = [];
  for (const part of parts) sums.push(part.map((y, t) => y + (sums.at(-1)?.[t] ?? 0)));
  return {
    columns: sums.toReversed(),
    series: names.toReversed().map((name, k) => ({
      label: name,
      stroke: color(name),
      fill: k === names.length - 1 ? color(name) : undefined,
      width: 1,
      paths,
      points: { show: false },
      value: (chart, y, i, t) => format(t === null ? null : y - (chart.data[i + 1]?.[t] ?? 0)),
    })),
    bands: names.toReversed().slice(0, -1).map((name, k) => ({ series: [k + 1, k + 2], fill: color(name) })),
  };
}

new ResizeObserver(() => {
  for (const [id, chart] of charts) {
    const width = byId(id).clientWidth;
    if (width !== chart.width) chart.setSize({ width, height: chart.height });
  }
}).observe(document.body);
