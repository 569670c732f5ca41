// Several jobs, their curves over each other; and what is polled when. kJobs: their names, none on a job's own page.
function drawRuns(all) {
  const best = (s, k) => {
    const values = validations(s).filter(e => k in e.metrics).map(e => e.metrics[k]);
    return values.length ? Math.max(...values).toFixed(4) : '';
  };
  table('runs', [['Job'], ['State'], ['Step', 'n'], ['Epoch', 'n'], ['Loss', 'n'], ['Best recall@10', 'n'], ['Best NDCG@10', 'n'], ['Went back', 'n']],
        all.map((s, i) => {
          const losses = smooth(columns(s.curves, 'loss'));
          return [[`<a href="#${i}">${esc(kJobs[i])}</a>`], [esc(s.state)], [num(s.step)], [`${Math.min(s.epoch + 1, s.epochs)} of ${s.epochs}`],
                  [losses.length ? losses[losses.length - 1][1].toFixed(4) : ''], [best(s, 'fusion/recall@10')], [best(s, 'fusion/ndcg@10')], [s.restarts || 0]];
        }));
  const lines = of => all.map((s, i) => ({name: kJobs[i], color: color(i), ...of(s)}));
  chart('losses', lines(s => ({points: smooth(columns(s.curves, 'loss')), raw: columns(s.curves, 'loss')})), {key: true});
  chart('rates', lines(s => ({points: columns(s.curves, 'lr')})), {key: true, zero: true});
  for (const [id, k] of [['ndcgs', 'fusion/ndcg@10'], ['recalls', 'fusion/recall@10']])
    chart(id, lines(s => ({points: validations(s).filter(e => k in e.metrics).map(e => [e.step, e.metrics[k]])})), {dots: true, key: true});
}

const chosen = () => kJobs.length > 1 && !/^#\d+$/.test(location.hash) ? -1 : Math.min(Number(location.hash.slice(1)) || 0, kJobs.length - 1);
const fetchStatus = async path => {
  const answer = await fetch(path, {cache: 'no-store'});
  const text = await answer.text();
  if (!answer.ok) {
    let error = text;
    try { error = JSON.parse(text).error || text; } catch (e) { /* said as text */ }
    throw new Error(error);
  }
  return JSON.parse(text);
};

function drawTabs(now) {
  $('jobs').hidden = kJobs.length < 2;
  $('jobs').innerHTML = `<a href="#all" class="${now < 0 ? 'on' : ''}">all</a>` +
      kJobs.map((name, i) => `<a href="#${i}" class="${now === i ? 'on' : ''}">${esc(name)}</a>`).join('');
}

let last = null, explored = null;
for (const id of ['treecard', 'explorecard']) $(id).hidden = !kJobs.length;      // a coordinator holds no data
function draw() {
  const now = chosen();
  if (kJobs.length) drawTabs(now);
  if (kJobs.length && explored !== now) {
    explored = now;
    resetTrees(), resetExplorer();
  }
  $('one').hidden = kJobs.length > 1 && now < 0, $('many').hidden = !$('one').hidden;
  document.querySelector('header').hidden = !$('many').hidden;
  if (!last || last.now !== now) return false;
  if (now < 0 && kJobs.length) drawRuns(last.all);
  else drawJob(last.all[0]);
  return true;
}

let turn = 0;
async function poll() {
  const mine = ++turn, now = chosen();
  try {
    const paths = !kJobs.length ? ['status.json'] : now < 0 ? kJobs.map((_, i) => `${i}/status.json`) : [`${now}/status.json`];
    const all = await Promise.all(paths.map(fetchStatus));
    if (mine !== turn) return;
    last = {now, all};
    draw();
  } catch (e) {
    $('state').textContent = kJobs.length ? 'no answer' : 'coordinator does not answer';
    $('note').textContent = kJobs.length ? String(e.message).slice(0, 300) : 'if the job is over, `dyad ui RUN` shows it';
    $('state').className = 'pill off';
  }
  if (mine === turn) setTimeout(poll, 2000);
}
addEventListener('resize', draw);
addEventListener('hashchange', () => { draw(); poll(); });
poll();
