/** A simulation in one sentence, for whoever shows another configuration to somebody. Pure. */
import type { Simulation } from "./simulation.ts";

/** `37.1 % of clients would get another answer, at most 50 % of one route's; no Require rule would be broken.` */
export function summarise({ total, routes, scenario }: Simulation): string {
  const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`;
  const isChange = scenario.changed !== undefined;
  const { share } = isChange ? total.changed : total.moved;
  const most =
    routes.length > 1 && share > 0
      ? `, ${isChange ? "at most " : "over all routes; at most "}${percent(total.mostChanged)} of one route's`
      : "";
  const broken = total.violations.after.share;
  const rules = broken > 0 ? `Require rules would be broken for ${percent(broken)}` : "no Require rule would be broken";
  return `${share === 0 ? "Nobody" : `${percent(share)} of clients`} would ${isChange ? "get another answer" : "move"}${most}; ${rules}.`;
}
