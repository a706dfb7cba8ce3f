const HOUR = 3600;
const COLUMN_WIDTHS = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200, 86400, 604800, 4838400];
const MOST_COLUMNS = 48;

const HEAT_METRICS = {
  total: { format: timeText, of: (m) => m.total },
  p95: { format: timeText, of: (m) => m.p95 },
  calls: { format: countText, of: (m) => m.calls },
  queue: { format: timeText, of: (m) => m.queue },
};

// Hours where they are a sensible number of columns.
function columnWidth() {
  const hours = (filter.to - filter.from) / HOUR;
  if (shownWidth() <= HOUR && hours >= 6 && hours <= 72) return HOUR;
  const fits = (width) => width >= shownWidth() && (filter.to - filter.from) / width <= MOST_COLUMNS;
  return COLUMN_WIDTHS.find(fits) ?? COLUMN_WIDTHS.at(-1);
}

const pad = (hour) => String(hour).padStart(2, '0');

// {count, of(second), name(column)}
function hoursOfTheDay() {
  return {
    count: 24,
    of: (second) => Math.floor(second / HOUR) % 24,
    name: pad,
    title: (hour) => `${pad(hour)}:00 to ${pad((hour + 1) % 24)}:00`,
  };
}

function columnsOfTime() {
  const width = columnWidth();
  const first = Math.floor(filter.from / width);
  const begin = (column) => isoText((first + column) * width);
  return {
    count: Math.ceil(filter.to / width) - first,
    of: (second) => Math.floor(second / width) - first,
    name: (column) => (width >= 86400 ? begin(column).slice(5, 10) : begin(column).slice(11, width < 60 ? 19 : 16)),
    title: (column) => `${begin(column).slice(0, 19).replace('T', ' ')}, ${durationText(width)}`,
  };
}

function durationText(seconds) {
  for (const [unit, size] of [['d', 86400], ['h', HOUR], ['min', 60]]) {
    if (seconds % size === 0) return `${seconds / size} ${unit}`;
  }
  return `${seconds} s`;
}

// A head for as many columns as have room for it.
function heatHead(columns) {
  const every = Math.ceil(columns.count / 12);
  const row = element('tr', {}, element('th'));
  for (let column = 0; column < columns.count; column += every) {
    const span = Math.min(every, columns.count - column);
    row.append(element('th', { colspan: span, scope: 'col' }, columns.name(column)));
  }
  return element('thead', {}, row);
}

function heatCell(measures, most, columns, column, metric) {
  const cell = element('td');
  const amount = metric.of(measures);
  const shown = measures.calls === 0 ? 'nothing' : metric.format(amount);
  cell.title = `${columns.title(column)}: ${shown}`;
  cell.dataset.amount = amount;
  if (measures.calls > 0) cell.style.background = `rgba(${color('heat')}, ${0.08 + 0.92 * (amount / most)})`;
  return cell;
}

function drawHeat() {
  const longEnough = report.traffic.width <= HOUR && filter.to - filter.from > 24 * HOUR && filter.digest === null;
  byId('heat-columns-choice').hidden = !longEnough;
  const columns = longEnough && byId('heat-columns').value === 'hour' ? hoursOfTheDay() : columnsOfTime();
  const metric = HEAT_METRICS[byId('heat-metric').value];
  const shards = [...shardsBy(columns.of, columns.count)].sort(([a], [b]) => (a < b ? -1 : 1));
  const most = Math.max(1, ...shards.flatMap(([, row]) => row.map(metric.of)));
  const body = element('tbody');
  for (const [name, row] of shards) {
    const cells = row.map((measures, column) => heatCell(measures, most, columns, column, metric));
    body.append(element('tr', {}, element('th', { scope: 'row' }, name === '' ? '(none)' : name), ...cells));
  }
  byId('heat').replaceChildren(heatHead(columns), body);
}
