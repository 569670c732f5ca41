// One job, from its status.json.
const age = ms => ms < 10000 ? (ms / 1000).toFixed(1) + ' s' : span(ms / 1000);
const clock = t => t === null || t === undefined ? '' : new Date(t * 1000).toLocaleString();
const ended = s => s.state === 'finished' || s.state === 'stopped';

function lossLines(curves, names, text) {
  return names.map(name => {
    const raw = columns(curves, name);
    return {name: text(name), points: smooth(raw), raw};
  });
}

function drawProgress(s) {
  document.title = s.job + ' - Dyad';
  $('job').textContent = s.job;
  $('state').textContent = s.state;
  $('state').className = 'pill' + (s.state === 'running' ? '' : ' end');
  $('note').textContent = (s.servers ? `${s.servers} servers, ${s.workers} workers` : '') +
      (s.restarts ? `, went back to a checkpoint ${s.restarts} ${s.restarts === 1 ? 'time' : 'times'}` : '');
  const done = s.total_steps ? s.step / s.total_steps : 0;
  $('epoch').textContent = `${Math.min(s.epoch + 1, s.epochs)} of ${s.epochs}`;
  $('batch').textContent = s.batches && s.epoch < s.epochs ? `batch ${num(Math.min(s.batch + 1, s.batches))} of ${num(s.batches)}` : '';
  $('bar').style.width = (100 * done).toFixed(1) + '%';
  $('step').textContent = num(s.step);
  $('resumed').textContent = (s.total_steps ? `of ${num(s.total_steps)}` : '') + (s.resumed_from ? `, resumed from ${num(s.resumed_from)}` : '');
  const speeds = columns(s.speed, 'samples_per_s');
  const mean = speeds.length ? speeds.reduce((sum, p) => sum + p[1], 0) / speeds.length : 0;
  $('speed').textContent = s.samples_per_s ? num(s.samples_per_s) : mean ? num(mean) : '-';
  $('left').textContent = 'samples a second' + (ended(s) ? ' on average' : s.seconds_left === null ? '' : `, ${span(s.seconds_left)} left`);
  const losses = columns(s.curves, 'loss'), first = losses[0], last = losses[losses.length - 1];
  $('loss').textContent = last ? smooth(losses)[losses.length - 1][1].toFixed(4) : '-';
  $('lossnote').textContent = last && last !== first ? `smoothed; ${first[1].toFixed(4)} at step ${num(first[0])}` : '';
}

function drawCurves(s) {
  const names = Object.keys(s.curves || {}), gen = names.filter(n => n.startsWith('loss.gen.'));
  const marks = (s.events || []).filter(e => e.kind === 'lost' || e.kind === 'resumed')
      .map(e => [e.step, `${e.kind}: back to step ${num(e.step)} ${e.text}`, 'var(--warn)']);
  chart('losscurve', lossLines(s.curves, ['loss'], n => n), {marks});
  chart('gencurve', lossLines(s.curves, gen, n => n.slice(9).replace('.', ' level ')));
  chart('partcurve', lossLines(s.curves, names.filter(n => n.startsWith('loss.') && !gen.includes(n)),
      n => ({con: 'contrast (GCT)', recon: 'reconstruction (STT)', recog: 'recognition (STT)'}[n.slice(5)] || n.slice(5))), {zero: true});
  chart('speedcurve', [{name: 'samples a second', points: smooth(columns(s.speed, 'samples_per_s')), raw: columns(s.speed, 'samples_per_s')}], {zero: true, marks});
  const results = validations(s), curve = (name, text) => ({name: text || name, points: results.filter(e => name in e.metrics).map(e => [e.step, e.metrics[name]])});
  chart('recallcurve', [curve('fusion/recall@10', 'recall@10'), curve('fusion/ndcg@10', 'NDCG@10')], {dots: true});
  chart('listcurve', ['fusion', 'behaviour', 'semantic', 'fusion-own', 'fusion-sum'].map(l => curve(l + '/recall@10', l)), {dots: true});
}

const validations = s => (s.evaluations || []).filter(e => e.split === 'validation').sort((a, b) => a.step - b.step);

function drawTimeline(s) {
  const place = $('timeline'), events = s.events || [], W = Math.max(240, place.clientWidth || 900);
  if (!events.length) return void (place.innerHTML = '<div class="sub">nothing yet</div>');
  const timed = events.filter(e => e.time !== null), lanes = [['checkpoint', 'checkpoint', 2], ['evaluated', 'evaluated', 0], ['restart', 'lost, resumed', 4]];
  const L = 84, R = 14, H = lanes.length * 28 + 26, x0 = timed.length ? timed[0].time : 0;
  const x1 = timed.length ? Math.max(timed[timed.length - 1].time, ended(s) ? 0 : s.time || 0, x0 + 1) : 1;
  const X = t => L + (t - x0) / (x1 - x0) * (W - L - R), unit = [1, 60, 3600, 86400].filter(u => (x1 - x0) / u >= 2).pop() || 1;
  let g = '';
  lanes.forEach(([, name], i) => {
    g += `<text x="0" y="${i * 28 + 18}">${name}</text><line x1="${L}" x2="${W - R}" y1="${i * 28 + 14}" y2="${i * 28 + 14}" stroke="var(--line)"/>`;
  });
  for (const e of timed) {
    const lane = lanes.findIndex(l => l[0] === e.kind), i = e.kind === 'given_up' ? 0 : lane < 0 ? 2 : lane, c = e.kind === 'given_up' ? 'var(--bad)' : e.kind === 'started' ? 'var(--dim)' : e.kind === 'resumed' ? 'var(--warn)' : color(lanes[i][2]);
    g += `<circle cx="${X(e.time).toFixed(1)}" cy="${i * 28 + 14}" r="5" fill="${c}"><title>${esc(e.kind)}, step ${num(e.step)}, ${esc(clock(e.time))} ${esc(e.text)}</title></circle>`;
  }
  const ts = ticks(0, (x1 - x0) / unit, Math.max(2, Math.floor((W - L) / 90)), false);
  const word = {1: 's', 60: 'min', 3600: 'h', 86400: 'days'}[unit];
  for (const t of ts.at) g += `<text x="${X(x0 + t * unit).toFixed(1)}" y="${H - 6}" text-anchor="${t === 0 ? 'start' : 'middle'}">${short(t, ts.step)} ${word}</text>`;
  const last = events.filter(e => ['lost', 'resumed', 'given_up'].includes(e.kind)).slice(-3).reverse()
      .map(e => `<div>${esc(clock(e.time))} ${{lost: 'back to', resumed: 'resumed from', given_up: 'no checkpoint of'}[e.kind]} step ${num(e.step)}${e.text ? ': ' + esc(e.text) : ''}</div>`).join('');
  place.innerHTML = `<svg width="${W}" height="${H}" viewBox="0 0 ${W} ${H}">${g}</svg><div class="sub">${last || 'begun ' + esc(clock(x0))}</div>`;
}

function drawWork(s) {
  const alive = s.processes || [], workers = alive.filter(p => p.role === 'worker'), servers = alive.filter(p => p.role === 'server');
  const shown = (id, list) => { $(id).style.display = list.length || !ended(s) ? '' : 'none'; };
  shown('phasecard', workers), shown('servercard', servers), shown('processcard', alive);
  const phase = name => (name.match(/^phase_(.*)_seconds_total$/) || [])[1];
  const names = [...new Set(workers.flatMap(p => Object.keys(p.metrics).map(phase).filter(Boolean)))];
  bars('phases', workers.slice(0, 16).map(p => ({name: `worker ${p.id}`, parts: names.map(n => [n.replaceAll('_', ' '), p.metrics[`phase_${n}_seconds_total`] || 0])})),
       names.map(n => n.replaceAll('_', ' ')), span);
  const heads = [['Server'], ['Rows', 'n'], ['In', 'n'], ['Out', 'n'], ['Applied', 'n'], ['Pull wait', 'n']];
  const newest = Math.max(0, ...workers.map(p => p.step));
  $('servers').innerHTML = '<div class="scroll"><table id="servertable" class="stack"></table></div><div class="sub" id="stale"></div>';
  table('servertable', heads, servers.map(p => {
    const m = p.metrics, n = m['pull_wait_seconds.count'] || 0;
    return [[`server ${p.id}`], [num(m.rows || 0)], [bytes(m.received_bytes_total || 0)], [bytes(m.sent_bytes_total || 0)],
            [num(m.applied_step || 0)], [n ? (1e3 * m['pull_wait_seconds.sum'] / n).toFixed(2) + ' ms' : '']];
  }));
  const stale = workers.map(p => p.metrics.staleness_steps).filter(v => v !== undefined);
  $('stale').textContent = stale.length ? `Staleness: the rows of the last pulls were ${Math.max(...stale)} steps behind; newest step ${num(newest)}` : '';
}

function drawProcesses(s) {
  const heads = [['Process'], ['State'], ['Heartbeat', 'n'], ['Step', 'n'], ['Samples/s', 'n'], ['Memory', 'n'], ['Start', 'n'], ['Host']];
  table('processes', heads, (s.processes || []).map(p => {
    const left = p.state === 'done' || p.state === 'stopped';
    const dot = p.state === 'dead' ? 'dead' : left ? 'left' : p.stale || p.heartbeat_age_ms > 5000 ? 'late' : '';
    return [[`<span><span class="dot ${dot}"></span>${esc(p.role)} ${p.id}</span>`], [esc(p.state) + (p.stale ? ' (to restart)' : '')],
            [left ? '' : age(p.heartbeat_age_ms)], [num(p.step)], ['samples_per_s' in p.metrics ? num(p.metrics.samples_per_s) : ''],
            [p.metrics.process_resident_memory_bytes ? bytes(p.metrics.process_resident_memory_bytes) : ''], [p.incarnation],
            [`<span>${esc(p.host)} <span class="sub">pid ${p.pid}</span></span>`]];
  }));
}

function drawCheckpoints(s) {
  const results = validations(s), metric = (folder, k) => {
    const e = results.find(e => e.checkpoint === folder);
    return e && k in e.metrics ? e.metrics[k].toFixed(4) : '';
  };
  const at = c => c.epoch >= s.epochs ? 'the end' : c.next_batch ? `epoch ${c.epoch + 1}, batch ${c.next_batch + 1}` : `epoch ${c.epoch + 1}`;
  const pending = (s.pending_cuts || []).map(
      c => [[`step ${num(c.step)} being written`, 'sub'], [`${c.servers} of ${s.servers} servers${c.worker ? ', worker 0' : ''}`, 'sub'], [''], [''], ['']]);
  const lines = (s.checkpoints || []).slice().reverse().map(
      c => [[esc(c.folder)], [at(c), 'sub'], [metric(c.folder, 'fusion/recall@10')], [metric(c.folder, 'fusion/ndcg@10')], [c.best ? 'best' : '', 'best']]);
  table('checkpoints', [['Checkpoint'], ['Goes on at'], ['Recall@10', 'n'], ['NDCG@10', 'n'], ['']], pending.concat(lines));
  table('audits', [['Epoch'], ['Samples', 'n'], ['']], (s.audits || []).slice(-8).reverse().map(
      a => [[a.epoch + 1], [num(a.samples)], [a.passed ? 'each once' : esc(a.text), a.passed ? 'ok' : 'bad']]));
}

function drawJob(s) {
  drawProgress(s);
  drawCurves(s);
  drawTimeline(s);
  drawWork(s);
  drawProcesses(s);
  drawCheckpoints(s);
}
