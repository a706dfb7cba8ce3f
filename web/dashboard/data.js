const PERIOD = 2; // seconds between two questions, as between two figures
let now = null; // what dashboard.json said last
let before = null; // and the time before, for rates

async function ask() {
  const response = await fetch('dashboard.json', { cache: 'no-store', signal: AbortSignal.timeout(PERIOD * 5000) });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const answer = await response.json();
  if (answer.at_ms !== now?.at_ms) [before, now] = [now, answer];
}

// How much an ever-growing number of the same thing has grown, a second; null before there are two.
function rate(list, same, name) {
  const earlier = before?.[list].find(same);
  const later = now[list].find(same);
  if (earlier === undefined || later[name] < earlier[name]) return null;
  return (later[name] - earlier[name]) / ((now.at_ms - before.at_ms) / 1000);
}

const latest = (name) => now.course[name].at(-1) ?? null;
const latestFew = (name) => now.course[name].slice(-5);
const sum = (numbers) => numbers.reduce((all, number) => all + number, 0);
