/** How a report looks, in light and in dark. */
import { COLOURS } from "./world-map.ts";

const clusterColours = COLOURS.map((colour, i) => `.c${i}{--own:${colour}}`).join("");

export const styles = `
:root{--ground:#f7f8fa;--card:#fff;--ink:#16202c;--soft:#586574;--line:#dde3ea;--land:#e4e8ee;--sea:#f3f6fa;--good:#0a7a4b;--bad:#c0262d;--accent:#0b62b8}
@media (prefers-color-scheme:dark){:root{--ground:#0e131a;--card:#161d27;--ink:#e8edf3;--soft:#9aa8b8;--line:#2a3542;--land:#2b3644;--sea:#121923;--good:#3ccf8e;--bad:#ff7b72;--accent:#6cb2ff}}
${clusterColours}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
header,main,footer{max-width:1240px;margin:0 auto;padding:0 24px}
header{padding-top:32px}
header p{margin:0;color:var(--soft)}
.product{font-size:13px;font-weight:600;letter-spacing:.04em;text-transform:uppercase}
h1{margin:4px 0;font-size:30px;line-height:1.2}
h2{margin:0 0 4px;font-size:21px}
h2 small{color:var(--soft);font-size:15px;font-weight:400;margin-left:8px}
h3{margin:24px 0 6px;font-size:16px}
section{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:20px 24px;margin:20px 0}
section p{margin:0 0 12px;color:var(--soft)}
.tiles{display:flex;flex-wrap:wrap;gap:16px;padding:0;border:0;background:none}
.tile{flex:1 1 180px;background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px 20px}
.tile b{display:block;font-size:28px;line-height:1.2}
.tile span{color:var(--soft);font-size:14px}
.good b{color:var(--good)}.bad b,b.bad,.bad{color:var(--bad)}
.maps{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,480px),1fr));gap:16px}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:8px 40px;margin-top:20px}
figure{margin:0}
figcaption{color:var(--soft);font-size:14px;margin-top:4px}
.map svg{display:block;width:100%;height:auto;background:var(--sea);border:1px solid var(--line);border-radius:8px}
.map figcaption{font-weight:600;color:var(--ink)}
.land use{fill:var(--own);stroke:var(--sea);stroke-width:.6}
.land .nobody{fill:var(--land)}
.arcs path{fill:none;stroke:color-mix(in oklab,var(--own),var(--ink) 30%);stroke-opacity:.75;stroke-linecap:round}
.sites circle{fill:var(--own);stroke:var(--card);stroke-width:2}
.sites text{font-size:24px;font-weight:600;fill:var(--ink);paint-order:stroke;stroke:var(--card);stroke-width:5px;stroke-linejoin:round}
.sites .out{stroke:#fff;stroke-width:2.5;stroke-linecap:round}
table{border-collapse:collapse;width:100%;font-size:15px}
caption{text-align:left;color:var(--soft);font-size:14px;padding-bottom:6px}
th{font-weight:600;text-align:left}
thead th{color:var(--soft);font-size:13px;font-weight:600}
.figures th,.figures td{padding:5px 14px 5px 0;border-bottom:1px solid var(--line);font-variant-numeric:tabular-nums}
.loads th{padding:8px 14px 8px 0;white-space:nowrap;width:1%}
.loads td{padding:8px 0;font-variant-numeric:tabular-nums}
.loads td:last-child{white-space:nowrap;width:1%;padding-left:14px}
.loads small{display:block;color:var(--soft);font-size:13px}
.bars{position:relative;min-width:120px}
.bar{display:block;height:9px;background:var(--own);border-radius:2px;min-width:1px}
.bar.was{opacity:.4;margin-bottom:2px}
.full{position:absolute;top:4px;bottom:4px;width:2px;background:var(--ink)}
.curve{width:100%;max-width:460px;height:auto;margin-top:20px}
.curve polygon{fill:var(--accent);fill-opacity:.15}
.curve polyline{fill:none;stroke:var(--accent);stroke-width:2.5;stroke-linejoin:round}
.grid line{stroke:var(--line)}
.grid text{fill:var(--soft);font-size:12px}
.scroll{overflow-x:auto}
.more{margin:8px 0 0}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
a{color:var(--accent)}
li{margin:4px 0}
footer{color:var(--soft);font-size:13px;padding-bottom:40px}
`;
