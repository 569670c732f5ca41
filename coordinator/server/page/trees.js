// The code trees of a job, opened node by node: `dyad ui` answers N/tree/STREAM/NODE/FROM with some children.
const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

// Waits while the data or the model are loaded; `still` says whether somebody still wants to know.
async function ask(path, still, waiting) {
  for (;;) {
    const answer = await fetch(path, {cache: 'no-store'}), text = await answer.text();
    let body = {error: text};
    try { body = JSON.parse(text); } catch (e) { /* an error as text */ }
    if (answer.status === 202 && still()) { waiting(body.loading); await pause(400); continue; }
    if (!answer.ok || answer.status === 202) throw new Error(body.error || text);
    return body;
  }
}
const pathOf = (...parts) => `${chosen()}/` + parts.map(encodeURIComponent).join('/');
const titled = item => `${esc(item.title || item.id)}${item.title && item.title !== item.id ? ` <span class="sub">${esc(item.id)}</span>` : ''}`;

function childHtml(c) {
  if (c.id !== undefined) return `<li><span class="code">${c.code}</span> ${titled(c)}</li>`;
  return `<li><details data-node="${c.node}"><summary><span class="code">${c.code}</span> <b>${num(c.items)}</b> items
      <span class="sub">${c.titles.map(esc).join('; ')}</span></summary></details></li>`;
}

async function openNode(place, stream, node, from) {
  const still = () => place.isConnected && place.closest('details[open]') !== null;
  const list = place.querySelector(':scope > ul') || place.appendChild(document.createElement('ul'));
  const more = list.appendChild(document.createElement('li'));
  more.className = 'sub', more.textContent = 'reading';
  try {
    const now = await ask(pathOf('tree', stream, node, from), still, why => { more.textContent = why; });
    more.remove();
    list.insertAdjacentHTML('beforeend', now.children.map(childHtml).join(''));
    const next = from + now.children.length;
    if (next < now.of) {
      list.insertAdjacentHTML('beforeend', `<li><button type="button">more: ${num(next)} of ${num(now.of)} are shown</button></li>`);
      const button = list.lastElementChild;
      button.firstChild.addEventListener('click', () => { button.remove(); openNode(place, stream, node, next); });
    }
  } catch (e) {
    if (!still()) return list.remove();           // closed meanwhile: the next time it is opened it is asked for again
    more.className = 'bad', more.textContent = e.message;
    place.addEventListener('toggle', () => list.remove(), {once: true});
  }
}

// Of another job when the page shows another: nothing is asked until somebody opens it.
function resetTrees() {
  for (const stream of ['behaviour', 'semantic'])
    $(`tree-${stream}`).innerHTML = `<details data-node="0"><summary>${stream} codes</summary></details>`;
}
for (const stream of ['behaviour', 'semantic'])
  $(`tree-${stream}`).addEventListener('toggle', e => {
    const place = e.target;
    if (place.open && !place.querySelector(':scope > ul')) openNode(place, stream, place.dataset.node, 0);
  }, true);                                      // toggle does not bubble
