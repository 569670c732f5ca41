// What the job's model recommends to a user, or after items that are picked.
let picked = [], asking = 0;
const fromUser = () => document.querySelector('input[name="who"]:checked').value === 'user';

function drawPicked() {
  $('picked').innerHTML = picked.map((item, i) =>
      `<button type="button" class="chip" data-i="${i}" title="take it away">${esc(item)} &times;</button>`).join('');
}
function drawWho() {
  $('bylist').hidden = fromUser(), $('byuser').hidden = !fromUser(), $('mode').disabled = !fromUser();
}

// Names for what is typed, a little after the last letter.
function offer(input, kind, list, text) {
  let timer = 0;
  $(input).addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      try {
        const found = await ask(pathOf(kind, $(input).value), () => false, () => {});
        $(list).innerHTML = found.map(text).join('');
      } catch (e) { /* no names to offer, or the model is loading */ }
    }, 200);
  });
}

const logP = v => v === null ? '' : v.toFixed(2);
const codeCell = (item, s) => `<span><span class="code">${item.codes[s]}</span> <span class="sub">${logP(item.log_p[s])}</span></span>`;

function wantedLine(w, searched) {
  if (!w) return '';
  return `<p class="${w.place ? 'ok' : 'bad'}">wanted: ${titled(w)}, ` +
      (w.place ? `at place ${w.place}` : `not among the first ${searched}`) + '</p>';
}

function drawAnswer(a, about) {
  const shown = Math.min(a.shown, a.past.length), few = a.past.slice(0, 5), rest = a.past.slice(5);
  const lines = list => `<ol>${list.map(i => `<li>${titled(i)}</li>`).join('')}</ol>`;
  $('past').innerHTML = `<h2>${a.user === undefined ? 'After' : `User ${esc(a.user)}, after`} ${num(a.past.length)} items, newest first` +
      (shown < a.past.length ? `; the model is shown the newest ${num(shown)}` : '') + `</h2>${lines(few)}` +
      (rest.length ? `<details><summary>${num(rest.length)} older</summary>${lines(rest)}</details>` : '') +
      a.notes.map(n => `<p class="sub">${esc(n)}</p>`).join('');
  $('wanted').innerHTML = wantedLine(a.wanted, about.searched);
  const heads = [['Place', 'n'], ['Item'], ['Score', 'n'], ['Found by'], ['Behaviour code, log p'], ['Semantic code, log p'], ['Note']];
  table('recommended', heads, a.items.map((item, i) => {
    const marks = [a.wanted && a.wanted.id === item.id ? '<span class="best">wanted</span>' : '', item.seen ? 'had before' : ''];
    return [[`${i + 1}.`], [`<span>${titled(item)}</span>`], [item.score.toFixed(2)], [item.found_by], [codeCell(item, 0)], [codeCell(item, 1)],
            [marks.filter(Boolean).join(', ')]];
  }));
}

async function recommendNow() {
  const mine = ++asking, still = () => mine === asking, waiting = why => { if (still()) $('exploring').textContent = why; };
  const seen = $('drop').checked ? 'drop' : 'keep', typed = $('item').value.trim();
  if (!fromUser() && typed) picked.push(typed), $('item').value = '', drawPicked();
  const path = fromUser() ? pathOf('recommend', seen, $('mode').value, $('user').value.trim()) : pathOf('recommend', seen, 'items', ...picked);
  $('exploring').className = 'sub', $('exploring').textContent = 'asking';
  try {
    if (fromUser() ? !$('user').value.trim() : !picked.length) throw new Error(fromUser() ? 'type the id of a user' : 'pick an item or more');
    const about = await ask(pathOf('model'), still, waiting), answer = await ask(path, still, waiting);
    if (!still()) return;
    $('exploring').textContent = `${about.checkpoint}: ${num(about.users)} users, ${num(about.items)} items, ranked by ${about.rank}`;
    drawAnswer(answer, about);
  } catch (e) {
    if (!still()) return;
    $('exploring').className = 'bad', $('exploring').textContent = e.message;
    for (const id of ['past', 'wanted', 'recommended']) $(id).innerHTML = '';
  }
}

function resetExplorer() {
  ++asking, picked = [];
  for (const id of ['past', 'wanted', 'recommended', 'exploring', 'users', 'items']) $(id).innerHTML = '';
  $('user').value = $('item').value = '';
  drawPicked(), drawWho();
}

offer('user', 'users', 'users', key => `<option value="${esc(key)}">`);
offer('item', 'items', 'items', i => `<option value="${esc(i.id)}">${esc(i.title)}</option>`);
for (const radio of document.querySelectorAll('input[name="who"]')) radio.addEventListener('change', drawWho);
$('explore').addEventListener('submit', e => { e.preventDefault(); recommendNow(); });
$('add').addEventListener('click', () => {
  if ($('item').value.trim()) picked.push($('item').value.trim()), $('item').value = '', drawPicked();
  $('item').focus();
});
$('picked').addEventListener('click', e => {
  const chip = e.target.closest('.chip');
  if (chip) picked.splice(Number(chip.dataset.i), 1), drawPicked();
});
