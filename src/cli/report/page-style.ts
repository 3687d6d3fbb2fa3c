/** The style of a report page, dark and light. */
export const STYLE = `
:root{--page:#fcfcfb;--card:#f3f3f1;--text:#1b1c1e;--muted:#575b62;--edge:#dcdcd8;--axis:#8b8f96;--grid:#e6e6e2;--accent:#0a58b0;
--good:#176b35;--good-soft:#ddf0e2;--bad:#a8162e;--bad-soft:#fbe1e4;--none:#7a4b00;--none-soft:#fbecd0;
--line-0:#0b62c4;--line-1:#b3540a;--line-2:#6f3fb3;--line-3:#c0233b;--faint:#8e959e;
--band-countdown:rgba(120,125,135,.10);--band-fault:rgba(192,35,59,.13);--band-burst:rgba(192,35,59,.35);--band-settle:rgba(11,98,196,.07)}
@media (prefers-color-scheme:dark){:root{--page:#141619;--card:#1e2125;--text:#e9eaec;--muted:#a9aeb6;--edge:#33373d;--axis:#7d848d;--grid:#2a2e33;--accent:#7ab8ff;
--good:#7fd99a;--good-soft:#173322;--bad:#ff8f9d;--bad-soft:#43191f;--none:#f2c063;--none-soft:#3a2c10;
--line-0:#6db3ff;--line-1:#f0a35e;--line-2:#c3a5ff;--line-3:#ff7d8e;--faint:#7d848d;
--band-countdown:rgba(170,175,185,.10);--band-fault:rgba(255,110,130,.16);--band-burst:rgba(255,110,130,.45);--band-settle:rgba(110,180,255,.09)}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
main{max-width:860px;margin:0 auto;padding:28px 20px 48px}
h1{font-size:1.65rem;line-height:1.25;margin:.1em 0 .6em;text-wrap:balance}
h2{font-size:1.3rem;line-height:1.3;margin:2.2em 0 .5em;padding-top:.7em;border-top:1px solid var(--edge)}
h3{font-size:1rem;margin:1.5em 0 .4em}
p,ul,ol{margin:.4em 0}
ul,ol{padding-left:1.3em}
a{color:var(--accent)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.kicker{color:var(--muted);margin:0}
header{border-left:6px solid var(--none);padding-left:16px}
header.tone-good{border-color:var(--good)}
header.tone-bad{border-color:var(--bad)}
aside{margin:1.2em 0;padding:10px 16px;border-radius:10px;background:var(--none-soft);color:var(--none);font-size:.92rem}
aside p{margin:.2em 0}
.facts{display:flex;flex-wrap:wrap;gap:6px 28px;margin:0}
.facts dt{color:var(--muted);font-size:.8rem}
.facts dd{margin:0;font-size:.92rem}
.chip{display:inline-block;font-size:.8rem;font-weight:600;line-height:1.4;padding:2px 9px;border-radius:99px;vertical-align:2px}
.chip.good{color:var(--good);background:var(--good-soft)}
.chip.bad{color:var(--bad);background:var(--bad-soft)}
.chip.none{color:var(--none);background:var(--none-soft)}
.chip.gate{color:var(--muted);box-shadow:inset 0 0 0 1px var(--edge)}
.todo ul{padding-left:1.1em}
.timeline{list-style:none;padding:0;font-size:.88rem}
.timeline li{display:grid;grid-template-columns:14rem 1fr 8.5rem;gap:12px;align-items:center;padding:2px 0}
.track{position:relative;height:12px;background:var(--card);border-radius:3px}
.track i{position:absolute;top:0;bottom:0;min-width:3px;background:var(--line-0);border-radius:3px}
.fault .track i{background:var(--line-3)}
.fault .label{color:var(--line-3);font-weight:600}
.time{color:var(--muted);font-variant-numeric:tabular-nums;text-align:right}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.88rem;width:100%}
caption{text-align:left;color:var(--muted);padding-bottom:4px}
th,td{text-align:right;padding:4px 10px;border-bottom:1px solid var(--edge);font-variant-numeric:tabular-nums}
td,thead th{white-space:nowrap;overflow-wrap:normal}
th:first-child{text-align:left}
th:first-child{padding-left:0}
thead th{color:var(--muted);font-weight:500}
tbody th{font-weight:500;min-width:9em}
tfoot th,tfoot td{font-weight:700;border-bottom:0}
figure{margin:1.6em 0 1.2em}
figcaption{font-size:.92rem;color:var(--muted);margin-bottom:4px}
figcaption b{color:var(--text);margin-right:.4em}
svg{display:block;width:100%;min-width:520px;height:auto;font-family:inherit}
.key{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:2px 18px;font-size:.85rem}
.key i{display:inline-block;width:26px;height:0;border-top:3px solid;vertical-align:4px;margin-right:7px}
.k-0{border-color:var(--line-0)!important}
.k-1{border-color:var(--line-1)!important;border-top-style:dashed!important}
.k-2{border-color:var(--line-2)!important;border-top-style:dotted!important}
.k-3{border-color:var(--line-3)!important;border-top-style:dashed!important;border-top-width:2px!important}
.k-faint{border-color:var(--faint)!important;border-top-width:1.5px!important}
.key .dots{width:0!important;border-top:0!important;border-left:8px solid;height:8px;border-radius:50%;vertical-align:0}
.k-1.dots{border-radius:1px!important;transform:rotate(45deg) scale(.85)}.k-3.dots{border-radius:1px!important}
details{font-size:.9rem;margin:.5em 0}
summary{cursor:pointer;color:var(--muted)}
.claims li{margin:.35em 0}
.ref{display:inline-block;font-size:.78rem;font-weight:600;padding:0 7px;border:1px solid currentcolor;border-radius:8px;text-decoration:none;white-space:nowrap}
.cited{list-style:none;padding:0}
.cited li{margin:.3em 0;scroll-margin-top:16px}
.cited li:target{background:var(--card)}
header.tone-active{border-color:var(--accent)}
#state{margin:0;padding:10px 20px;border-bottom:1px solid var(--edge);color:var(--muted);font-size:.88rem}
#state.state-lost{color:var(--bad)}
#announced{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
footer{margin-top:3em;padding-top:1em;border-top:1px solid var(--edge);color:var(--muted);font-size:.9rem}
@media (max-width:640px){main{padding:18px 14px 36px}h1{font-size:1.35rem}
table{font-size:.8rem}th,td{padding:4px 5px}tbody th{min-width:6em}
.timeline li{grid-template-columns:1fr auto;gap:2px 10px}.track{grid-column:1/3;grid-row:2}}
@media (min-width:1280px){main{max-width:1240px}.plots{display:grid;grid-template-columns:1fr 1fr;gap:0 32px;align-items:start}.plots figure{min-width:0}.plots figcaption{min-height:4.5em}.scroll{max-width:54rem}
h1,main>*>p,main>*>ul,.claims,footer{max-width:54rem}.timeline li{grid-template-columns:14rem 1fr 14rem}}
@media print{.track,.track i,.chip,.key i{print-color-adjust:exact}details::details-content{content-visibility:visible;height:auto}.timeline li,figure{break-inside:avoid}}
`;
