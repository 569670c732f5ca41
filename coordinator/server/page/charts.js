// SVG charts. They are drawn in the pixels of the place they get, so that a label is 11 px wide and narrow alike.
const kJobs = [];
const $ = id => document.getElementById(id);
const escapes = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'};
const esc = s => String(s).replace(/[&<>"]/g, c => escapes[c]);
const num = n => Number(n).toLocaleString('en-US', {maximumFractionDigits: 0});
const color = i => `var(--c${i % 8})`;

function ticks(lo, hi, most, whole) {
  const raw = Math.max((hi - lo) / most, whole ? 1 : 0) || 1, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map(k => k * power).find(s => s >= raw * .999 && (!whole || s % 1 === 0)), out = [];
  for (let i = Math.ceil(lo / step - 1e-9); i * step <= hi + step * 1e-9; ++i) out.push(i * step);
  return {at: out, step};
}

function short(v, step) {
  const a = Math.abs(v);
  if (v === 0) return '0';
  if (a >= 1e9) return +(v / 1e9).toPrecision(4) + 'G';
  if (a >= 1e6) return +(v / 1e6).toPrecision(4) + 'M';
  if (a >= 1e4) return +(v / 1e3).toPrecision(4) + 'k';
  return step < 1e-4 ? v.toExponential(1) : String(+v.toPrecision(6));
}

function bytes(n) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  for (; n >= 1024 && i < 4; ++i) n /= 1024;
  return n.toFixed(i && n < 100 ? 1 : 0) + ' ' + units[i];
}

function span(seconds) {
  if (seconds < 100) return Math.round(seconds) + ' s';
  if (seconds < 6000) return Math.round(seconds / 60) + ' min';
  if (seconds < 172800) return (seconds / 3600).toFixed(1) + ' h';
  return (seconds / 86400).toFixed(1) + ' days';
}

// Exponential moving average over a fifteenth of the picture; begun at the mean of its first points, not at the first.
function smooth(points) {
  const n = Math.max(2, points.length / 30), keep = 1 - 1 / n;
  if (points.length < 8) return points;
  let sum = 0, weight = 0;
  return points.map(([x, y]) => {
    sum = sum * keep + y, weight = weight * keep + 1;
    return [x, sum / weight];
  });
}

// lines: [{name, points: [[x, y]..], raw: [[x, y]..], dash}]; options: {dots, zero, marks: [[x, name, color]..]}
function chart(id, lines, options = {}) {
  const place = $(id), W = Math.max(240, place.clientWidth || 540), H = options.height || Math.min(240, Math.max(170, W * .42));
  lines = lines.filter(l => l.points.length);
  const all = lines.flatMap(l => l.points.concat(l.raw || [])).filter(p => p[1] !== null);
  if (!all.length) return void (place.innerHTML = '<div class="sub">nothing yet</div>');
  const lo = k => all.reduce((m, p) => Math.min(m, p[k]), Infinity), hi = k => all.reduce((m, p) => Math.max(m, p[k]), -Infinity);
  let x0 = lo(0), x1 = hi(0), y0 = options.zero ? 0 : lo(1), y1 = hi(1);
  if (x0 === x1) x0 -= 1, x1 += 1;
  const pad = (y1 - y0) * .06 || Math.abs(y1) * .1 || 1;
  if (!options.zero) y0 -= pad;
  y1 += pad;
  const ys = ticks(y0, y1, 6), labels = ys.at.map(t => short(t, ys.step));
  const L = 12 + 6.6 * Math.max(...labels.map(l => l.length)), R = 14, T = 8, B = 24;
  const xs = ticks(x0, x1, Math.max(2, Math.min(8, Math.floor((W - L) / 76))), true);
  const X = x => (L + (x - x0) / (x1 - x0) * (W - L - R)).toFixed(1);
  const Y = y => (H - B - (y - y0) / (y1 - y0) * (H - T - B)).toFixed(1);
  let s = '';
  ys.at.forEach((t, i) => {
    s += `<line x1="${L}" x2="${W - R}" y1="${Y(t)}" y2="${Y(t)}" stroke="var(--line)"/>`;
    s += `<text x="${L - 6}" y="${+Y(t) + 4}" text-anchor="end">${labels[i]}</text>`;
  });
  for (const t of xs.at) s += `<text x="${X(t)}" y="${H - 6}" text-anchor="middle">${short(t, xs.step)}</text>`;
  for (const [x, name, c] of options.marks || []) {
    if (x < x0 || x > x1) continue;
    s += `<line x1="${X(x)}" x2="${X(x)}" y1="${T}" y2="${H - B}" stroke="${c}" stroke-dasharray="3 3"><title>${esc(name)}</title></line>`;
  }
  const path = points => points.filter(p => p[1] !== null).map(p => X(p[0]) + ',' + Y(p[1])).join(' ');
  lines.forEach((l, i) => {
    const c = l.color || color(i), line = `fill="none" stroke="${c}" stroke-linejoin="round"`;
    if (l.raw) s += `<polyline ${line} stroke-width="1" opacity=".28" points="${path(l.raw)}"/>`;
    s += `<polyline ${line} stroke-width="1.8" ${l.dash ? 'stroke-dasharray="5 3"' : ''} points="${path(l.points)}"/>`;
    if (options.dots) for (const p of l.points) {
      s += `<circle cx="${X(p[0])}" cy="${Y(p[1])}" r="3" fill="${c}">`;
      s += `<title>${esc(l.name)}, step ${num(p[0])}: ${p[1].toFixed(4)}</title></circle>`;
    }
  });
  const key = lines.map((l, i) => `<span><i style="background:${l.color || color(i)}"></i>${esc(l.name)}</span>`).join('');
  place.innerHTML = `<svg width="${W}" height="${H}" viewBox="0 0 ${W} ${H}" role="img">${s}</svg>` + (lines.length > 1 || options.key ? `<div class="key">${key}</div>` : '');
}

// rows: [{name, parts: [[name, value]..]}]: a bar each, its parts as shares of the longest.
function bars(id, rows, names, text) {
  const place = $(id), W = Math.max(240, place.clientWidth || 540), L = 74, R = 70, each = 26;
  if (!rows.length) return void (place.innerHTML = '<div class="sub">nothing yet</div>');
  const sums = rows.map(r => r.parts.reduce((sum, p) => sum + p[1], 0)), most = Math.max(...sums) || 1;
  let s = '';
  rows.forEach((r, i) => {
    let x = L;
    s += `<text x="0" y="${i * each + 15}">${esc(r.name)}</text>`;
    for (const [name, value] of r.parts) {
      const w = value / most * (W - L - R);
      s += `<rect x="${x.toFixed(1)}" y="${i * each + 3}" width="${w.toFixed(1)}" height="17" fill="${color(names.indexOf(name))}"><title>${esc(name)}: ${text(value)}</title></rect>`;
      x += w;
    }
    s += `<text x="${(x + 6).toFixed(1)}" y="${i * each + 15}">${text(sums[i])}</text>`;
  });
  const key = names.map((n, i) => `<span><i class="block" style="background:${color(i)}"></i>${esc(n)}</span>`).join('');
  place.innerHTML = `<svg width="${W}" height="${rows.length * each}" viewBox="0 0 ${W} ${rows.length * each}">${s}</svg>` + (names.length > 1 ? `<div class="key">${key}</div>` : '');
}

function table(id, heads, rows) {
  const head = heads.map(h => `<th class="${h[1] || ''}">${h[0]}</th>`).join('');
  const body = rows.map(cells => '<tr>' + cells.map((c, i) =>
      `<td class="${c[1] || heads[i][1] || ''}" data-head="${heads[i][0]}">${c[0]}</td>`).join('') + '</tr>').join('');
  $(id).innerHTML = `<tr>${head}</tr>` + (body || `<tr><td class="sub" colspan="${heads.length}">nothing yet</td></tr>`);
}

const columns = (curves, name) => (curves && curves[name] || []).map((y, i) => [curves.step[i], y]).filter(p => p[1] !== null);
