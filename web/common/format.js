const threeDigits = (value) => value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);

// As report/amounts.cc writes them.
function timeText(us) {
  if (us === null || us === undefined) return '–';
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < 1e6) return `${threeDigits(us / 1e3)} ms`;
  if (us < 600e6) return `${threeDigits(us / 1e6)} s`;
  if (us < 36000e6) return `${threeDigits(us / 60e6)} min`;
  return `${threeDigits(us / 3600e6)} h`;
}

const countText = (count) => Math.round(count).toLocaleString('en-US');
const shareText = (part, whole) => (whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`);

function rateText(value) {
  if (value === null || value === undefined) return '–';
  return value >= 100 ? countText(value) : Number(value.toPrecision(2)).toString();
}

const isoText = (second) => new Date(second * 1000).toISOString();
const momentText = (second) => isoText(second).slice(0, 19).replace('T', ' ');

// An element with attributes and children; text is never read as HTML.
function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

const byId = (id) => document.getElementById(id);
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
