// A time that has been dragged over is asked for, and shown when everything is drawn anew.
function onSelect(chart) {
  const { left, width } = chart.select;
  if (width < 4) return;
  showTime(chart.posToVal(left, 'x'), chart.posToVal(left + width, 'x'));
}

// Slots of the chosen time; the last one ends where the chart does.
function drawSlots(id, { data, ...chart }) {
  draw(id, {
    ...chart,
    data: [[...data[0], filter.to], ...data.slice(1).map((ys) => [...ys, ys.at(-1) ?? null])],
    range: () => [filter.from, filter.to],
    onSelect,
  });
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
  const { columns, series, bands } = stack(PARTS, parts, format, steps);
  drawSlots('split-chart', { data: [times, ...columns], series, bands, formats: [format] });
}

function drawRate() {
  const { times, measures } = course();
  const width = shownWidth();
  const line = (label, format, more) => ({
    label, paths: steps, points: { show: false }, spanGaps: false, value: value(format), ...more,
  });
  drawSlots('rate-chart', {
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
  drawSlots('digest-chart', {
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
