/** The whole check of a zone: look, judge, tell. */
import { type AskPorts, createAsk } from "./ask.ts";
import { type GatherPorts, type GatherRequest, gather } from "./gather.ts";
import { judgeZone } from "./judge-zone.ts";
import type { Step, StepResult } from "./step.ts";

export interface ZoneCheck {
  readonly zone: string;
  /** No step failed. */
  readonly ok: boolean;
  readonly steps: readonly Step[];
}

/** Two tries of two seconds for each question, and a minute for all of them. */
const LIMITS = { timeout: 2000, tries: 2, concurrency: 16, total: 60_000 } as const;

/**
 * Checks a zone; takes up to a minute where many servers are silent.
 *
 * @param drift compares what a provider holds with what is wanted, for a zone that is kept elsewhere; what it throws is thrown
 * @returns what was found; never throws for what servers do
 */
export async function checkZone(
  request: GatherRequest,
  ports: AskPorts & GatherPorts,
  drift?: () => Promise<StepResult>,
): Promise<ZoneCheck> {
  const ask = createAsk(ports, LIMITS);
  const [seen, drifted] = await Promise.all([gather(request, ask, ports, LIMITS.timeout), drift?.()]);
  const steps: readonly Step[] = [...judgeZone(seen), ...(drifted === undefined ? [] : [{ name: "drift" as const, ...drifted }])];
  return { zone: request.zone, ok: steps.every(({ status }) => status !== "failed"), steps };
}
