// The parts of a statement's time, each with a colour of its name.
const PARTS = ['queue', 'server', 'transfer', 'client', 'rest'];

// One bar of what each part has of measures.total.
function splitBar(measures) {
  const bar = element('div', { class: 'bar', role: 'img' });
  const words = [];
  for (const part of PARTS) {
    const piece = element('div');
    piece.style.background = color(part);
    piece.style.flexGrow = measures[part];
    bar.append(piece);
    words.push(`${part} ${shareText(measures[part], measures.total)}`);
  }
  bar.title = words.join(', ');
  bar.setAttribute('aria-label', bar.title);
  return bar;
}

// tiles: [name, text] each.
function fillTiles(id, tiles) {
  byId(id).replaceChildren(
    ...tiles.map(([name, text]) => element('div', {}, element('dt', {}, name), element('dd', {}, text))),
  );
}
