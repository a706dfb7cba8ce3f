// What page.cc wrote: cells of measures by group (database, user, shards) and slot of time, and the
// same by digest. Everything shown is a sum over those cells that pass the filters.
const report = JSON.parse(document.getElementById('data').textContent);


class Measures {
  calls = 0;
  errors = 0;
  cached = 0;
  rows = 0;
  bytes = 0;
  queue = 0;
  server = 0;
  transfer = 0;
  client = 0;
  total = 0;
  buckets = new Map(); // of quantile_sketch.h

  // cell: as WriteMeasures in page.cc writes it, `at` the place of its calls.
  add(cell, at) {
    this.calls += cell[at];
    this.errors += cell[at + 1];
    this.cached += cell[at + 2];
    this.rows += cell[at + 3];
    this.bytes += cell[at + 4];
    this.queue += cell[at + 5];
    this.server += cell[at + 6];
    this.transfer += cell[at + 7];
    this.client += cell[at + 8];
    this.total += cell[at + 9];
    const buckets = cell[at + 10];
    for (let i = 0; i < buckets.length; i += 2) {
      this.buckets.set(buckets[i], (this.buckets.get(buckets[i]) ?? 0) + buckets[i + 1]);
    }
  }

  get rest() {
    return this.total - this.queue - this.server - this.transfer - this.client;
  }

  get mean() {
    return this.calls === 0 ? 0 : this.total / this.calls;
  }

  // Microseconds; null when there is nothing.
  quantile(q) {
    const indexes = [...this.buckets.keys()].sort((a, b) => a - b);
    let count = 0;
    for (const n of this.buckets.values()) count += n;
    const rank = Math.floor(q * (count - 1));
    let passed = 0;
    for (const index of indexes) {
      passed += this.buckets.get(index);
      if (passed > rank) return (2 * report.gamma ** index) / (report.gamma + 1);
    }
    return null;
  }

  get p95() {
    return this.quantile(0.95) ?? 0;
  }
}

// Times are seconds since 1970; digest is a row of report.digests, or null for all.
const filter = { database: '', user: '', shard: '', from: 0, to: 0, digest: null };

const wholeTime = () => {
  const { width, first, slots } = report.by_digest;
  return { from: first * width, to: (first + slots) * width };
};

// A time is widened to whole slots of the coarser cube, so that all sums are over the same time.
function setTime(from, to) {
  const { width } = report.by_digest;
  const whole = wholeTime();
  const first = Math.max(whole.from, Math.floor(from / width) * width);
  const last = Math.min(whole.to, Math.ceil(to / width) * width);
  Object.assign(filter, first < last ? { from: first, to: last } : whole);
}

function passes(group) {
  const [database, user, shards] = report.groups[group];
  if (filter.database !== '' && filter.database !== database) return false;
  if (filter.user !== '' && filter.user !== user) return false;
  return filter.shard === '' || shards.includes(filter.shard);
}

// Calls visit(cell, place of its calls, group, its second, its digest or null).
function forEachCell(cube, hasDigests, visit) {
  const allowed = report.groups.map((_, group) => passes(group));
  const lead = hasDigests ? 1 : 0;
  for (const cell of cube.cells) {
    const second = (cube.first + cell[lead + 1]) * cube.width;
    if (!allowed[cell[lead]] || second < filter.from || second >= filter.to) continue;
    visit(cell, lead + 2, cell[lead], second, hasDigests ? cell[0] : null);
  }
}

// The cells of what is shown, as finely divided by time as they are there.
function shownCube() {
  return filter.digest === null ? report.traffic : report.by_digest;
}

function forEachShown(visit) {
  forEachCell(shownCube(), filter.digest !== null, (cell, at, group, second, digest) => {
    if (digest === filter.digest) visit(cell, at, group, second);
  });
}

const shownWidth = () => shownCube().width;
const newMeasures = (count) => Array.from({ length: count }, () => new Measures());

// {times, measures}: a point a slot, also where nothing happened.
function course(width = shownWidth(), each = forEachShown) {
  const first = Math.floor(filter.from / width);
  const count = Math.ceil(filter.to / width) - first;
  const measures = newMeasures(count);
  each((cell, at, group, second) => measures[Math.floor(second / width) - first].add(cell, at));
  return { times: measures.map((_, i) => (first + i) * width), measures };
}

function courseOfDigest(row) {
  return course(report.by_digest.width, (visit) =>
    forEachCell(report.by_digest, true, (cell, at, group, second, digest) => {
      if (digest === row) visit(cell, at, group, second);
    }),
  );
}

function sum() {
  const all = new Measures();
  forEachShown((cell, at) => all.add(cell, at));
  return all;
}

// [{row, measures}] of the digests that pass the filters, first by `order`.
function digestsBy(order) {
  const rows = newMeasures(report.digests.length);
  forEachCell(report.by_digest, true, (cell, at, group, second, digest) => {
    if (filter.digest === null || filter.digest === digest) rows[digest].add(cell, at);
  });
  return rows
    .map((measures, row) => ({ row, measures, weight: measures[order] }))
    .filter(({ measures }) => measures.calls > 0)
    .sort((a, b) => b.weight - a.weight);
}

// Map of shard, "" for none, to an array of Measures by columnOf(second).
function shardsBy(columnOf, columns) {
  const shards = new Map();
  forEachShown((cell, at, group, second) => {
    const names = report.groups[group][2];
    for (const name of names.length > 0 ? names : ['']) {
      if (filter.shard !== '' && name !== filter.shard) continue;
      if (!shards.has(name)) shards.set(name, newMeasures(columns));
      shards.get(name)[columnOf(second)].add(cell, at);
    }
  });
  return shards;
}
