// The status page: one HTML file without outside scripts. It asks for /status.json every two seconds and draws.
#include "coordinator/status_json.h"

namespace dyad::coordinator {

const char* const kStatusPage = R"HTML(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Dyad</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root{--bg:#f6f7f9;--card:#fff;--ink:#1c2430;--dim:#6b7686;--line:#e3e7ed;--accent:#2f6fed;--second:#d9822b;--third:#1d9a6c;--bad:#d33f49;--warn:#c98a00}
@media (prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1a2029;--ink:#e6eaf0;--dim:#8e9aab;--line:#2a323e;--accent:#6ea0ff;--second:#f0a35e;--third:#4cc79a}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:14px/1.45 system-ui,sans-serif}
main{max-width:1180px;margin:0 auto;padding:24px}header{display:flex;align-items:baseline;gap:14px;margin-bottom:18px}
h1{font-size:22px;margin:0}h2{font-size:13px;margin:0 0 10px;color:var(--dim);font-weight:600}
.pill{font-size:12px;padding:2px 10px;border-radius:99px;background:var(--third);color:#fff}.pill.off{background:var(--bad)}.pill.end{background:var(--accent)}
.grid{display:grid;gap:14px;grid-template-columns:repeat(12,1fr)}.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px;min-width:0}
.s3{grid-column:span 3}.s6{grid-column:span 6}.s12{grid-column:span 12}@media(max-width:800px){.s3{grid-column:span 6}.s6{grid-column:span 12}}
.big{font-size:26px;font-weight:650;font-variant-numeric:tabular-nums}.sub{color:var(--dim);font-size:12px}
.bar{height:6px;border-radius:3px;background:var(--line);margin-top:10px;overflow:hidden}.bar i{display:block;height:100%;background:var(--accent)}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}th{font-size:12px;color:var(--dim);font-weight:500;text-align:left}
td,th{padding:6px 8px;border-bottom:1px solid var(--line);white-space:nowrap}tr:last-child td{border-bottom:0}td.n,th.n{text-align:right}
.dot{display:inline-block;width:8px;height:8px;border-radius:50%;background:var(--third);margin-right:8px}.dot.dead{background:var(--bad)}.dot.late{background:var(--warn)}.dot.left{background:var(--dim)}
.best{color:var(--third);font-weight:600}.scroll{overflow-x:auto}svg{width:100%;height:auto;display:block}svg text{fill:var(--dim);font-size:11px}
.key{display:flex;gap:14px;font-size:12px;color:var(--dim);margin-top:6px;flex-wrap:wrap}.key i{display:inline-block;width:10px;height:3px;margin-right:6px;vertical-align:middle}
.bad{color:var(--bad)}.ok{color:var(--third)}
</style></head><body><main>
<header><h1 id="job">Dyad</h1><span id="state" class="pill off">connecting</span><span id="note" class="sub"></span></header>
<div class="grid">
<div class="card s3"><h2>Epoch</h2><div class="big" id="epoch">-</div><div class="sub" id="batch"></div><div class="bar"><i id="bar" style="width:0"></i></div></div>
<div class="card s3"><h2>Step</h2><div class="big" id="step">-</div><div class="sub" id="resumed"></div></div>
<div class="card s3"><h2>Throughput</h2><div class="big" id="speed">-</div><div class="sub">samples per second</div></div>
<div class="card s3"><h2>Loss</h2><div class="big" id="loss">-</div><div class="sub" id="lossnote"></div></div>
<div class="card s6"><h2>Training loss by step</h2><div id="losscurve"></div></div>
<div class="card s6"><h2>Validation by checkpoint</h2><div id="recallcurve"></div></div>
<div class="card s12"><h2>Processes</h2><div class="scroll"><table id="processes"></table></div></div>
<div class="card s6"><h2>Checkpoints</h2><div class="scroll"><table id="checkpoints"></table></div></div>
<div class="card s6"><h2>Audit: every sample exactly once an epoch</h2><div class="scroll"><table id="audits"></table></div></div>
</div></main><script>
const $=id=>document.getElementById(id),esc=s=>String(s).replace(/[&<>"]/g,c=>({'&':'&amp;','<':'&lt;','>':'&gt;','"':'&quot;'}[c]));
const num=n=>Number(n).toLocaleString('en-US',{maximumFractionDigits:0});
const colors=['var(--accent)','var(--second)','var(--third)'];
function ticks(lo,hi,n){const raw=(hi-lo)/n||1,p=10**Math.floor(Math.log10(raw)),m=[1,2,5,10].find(k=>k*p>=raw)*p,out=[];
  for(let v=Math.ceil(lo/m)*m;v<=hi+m*1e-9;v+=m)out.push(v);return out}
function chart(lines,dots){const W=540,H=220,L=48,R=12,T=8,B=24,all=lines.flatMap(l=>l.points);
  if(!all.length)return '<div class="sub">nothing yet</div>';
  let x0=Math.min(...all.map(p=>p[0])),x1=Math.max(...all.map(p=>p[0])),y0=Math.min(...all.map(p=>p[1])),y1=Math.max(...all.map(p=>p[1]));
  if(x0===x1){x0-=1;x1+=1}const pad=(y1-y0)*.08||Math.abs(y1)*.1||1;y0-=pad;y1+=pad;
  const X=x=>L+(x-x0)/(x1-x0)*(W-L-R),Y=y=>H-B-(y-y0)/(y1-y0)*(H-T-B);let s='';
  for(const t of ticks(y0,y1,4))s+=`<line x1="${L}" x2="${W-R}" y1="${Y(t)}" y2="${Y(t)}" stroke="var(--line)"/><text x="${L-6}" y="${Y(t)+4}" text-anchor="end">${+t.toPrecision(4)}</text>`;
  for(const t of ticks(x0,x1,5))s+=`<text x="${X(t)}" y="${H-6}" text-anchor="middle">${num(t)}</text>`;
  lines.forEach((l,i)=>{s+=`<polyline fill="none" stroke="${colors[i%3]}" stroke-width="1.8" stroke-linejoin="round" points="${l.points.map(p=>X(p[0]).toFixed(1)+','+Y(p[1]).toFixed(1)).join(' ')}"/>`;
    if(dots)for(const p of l.points)s+=`<circle cx="${X(p[0])}" cy="${Y(p[1])}" r="3" fill="${colors[i%3]}"><title>step ${p[0]}: ${p[1].toFixed(4)}</title></circle>`});
  return `<svg viewBox="0 0 ${W} ${H}">${s}</svg><div class="key">${lines.map((l,i)=>`<span><i style="background:${colors[i%3]}"></i>${esc(l.name)}</span>`).join('')}</div>`}
function rows(id,head,body){$(id).innerHTML='<tr>'+head.map(h=>`<th class="${h[1]||''}">${h[0]}</th>`).join('')+'</tr>'+(body||`<tr><td class="sub" colspan="${head.length}">nothing yet</td></tr>`)}
function age(ms){return ms<10000?(ms/1000).toFixed(1)+' s':ms<600000?Math.round(ms/1000)+' s':Math.round(ms/60000)+' min'}
function draw(s){
  document.title=s.job+' - Dyad';$('job').textContent=s.job;$('state').textContent=s.state;$('state').className='pill'+(s.state==='running'?'':' end');
  $('note').textContent=`${s.servers} servers, ${s.workers} workers`+(s.generation>2?`, generation ${s.generation}`:'');
  $('epoch').textContent=`${Math.min(s.epoch+1,s.epochs)} of ${s.epochs}`;$('batch').textContent=`batch ${num(s.batch)} of ${num(s.batches)}`;
  $('bar').style.width=(100*(s.epoch+s.batch/Math.max(1,s.batches))/s.epochs).toFixed(1)+'%';
  $('step').textContent=num(s.step);$('resumed').textContent=s.resumed_from?'resumed from step '+num(s.resumed_from):'';
  $('speed').textContent=s.samples_per_s?num(s.samples_per_s):'-';
  const last=s.curve[s.curve.length-1];$('loss').textContent=last?last.loss.toFixed(4):'-';
  if(s.curve.length>1)$('lossnote').textContent='from '+s.curve[0].loss.toFixed(4)+' at step '+num(s.curve[0].step);
  $('losscurve').innerHTML=chart(s.curve.length?[{name:'loss',points:s.curve.map(p=>[p.step,p.loss])}]:[]);
  const val=s.evaluations.filter(e=>e.split==='validation').sort((a,b)=>a.step-b.step);
  $('recallcurve').innerHTML=chart(['fusion/recall@10','fusion/ndcg@10'].map(k=>({name:k,points:val.filter(e=>k in e.metrics).map(e=>[e.step,e.metrics[k]])})).filter(l=>l.points.length),true);
  rows('processes',[['Process'],['State'],['Heartbeat','n'],['Step','n'],['Samples/s','n'],['Start','n'],['Host']],s.processes.map(p=>{
    const left=p.state==='done'||p.state==='stopped',cls=p.state==='dead'?'dead':left?'left':p.stale||p.heartbeat_age_ms>5000?'late':'';
    return `<tr><td><span class="dot ${cls}"></span>${esc(p.role)} ${p.id}</td><td>${esc(p.state)}${p.stale?' (to restart)':''}</td><td class="n">${left?'':age(p.heartbeat_age_ms)}</td><td class="n">${num(p.step)}</td><td class="n">${'samples_per_s' in p.metrics?num(p.metrics.samples_per_s):''}</td><td class="n">${p.incarnation}</td><td>${esc(p.host)} <span class="sub">pid ${p.pid}</span></td></tr>`}).join(''));
  const metric=(f,k)=>{const e=val.find(e=>e.checkpoint===f);return e&&k in e.metrics?e.metrics[k].toFixed(4):''};
  rows('checkpoints',[['Checkpoint'],['Next'],['Recall@10','n'],['NDCG@10','n'],['']],s.checkpoints.slice().reverse().map(c=>
    `<tr><td>${esc(c.folder)}</td><td class="sub">epoch ${c.epoch+1}, batch ${c.next_batch}</td><td class="n">${metric(c.folder,'fusion/recall@10')}</td><td class="n">${metric(c.folder,'fusion/ndcg@10')}</td><td class="best">${c.best?'best':''}</td></tr>`).join('')+
    s.pending_cuts.map(c=>`<tr><td class="sub">step ${num(c.step)} being written</td><td class="sub" colspan="4">${c.servers} of ${s.servers} servers${c.worker?', worker 0':''}</td></tr>`).join(''));
  rows('audits',[['Epoch'],['Samples','n'],['']],s.audits.slice(-8).reverse().map(a=>`<tr title="${esc(a.text)}"><td>${a.epoch+1}</td><td class="n">${num(a.samples)}</td><td class="${a.passed?'ok':'bad'}">${a.passed?'each once':'failed'}</td></tr>`).join(''));
}
async function poll(){try{draw(await (await fetch('status.json',{cache:'no-store'})).json())}catch(e){$('state').textContent='coordinator does not answer';$('state').className='pill off'}setTimeout(poll,2000)}
poll();
</script></body></html>
)HTML";

}  // namespace dyad::coordinator
