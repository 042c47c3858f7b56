/** Asks Prometheus what Grafana would ask for a panel. */
import { z } from "zod";

export interface Scene {
  /** Of Prometheus. */
  readonly url: string;
  /** The time shown, seconds since the epoch. */
  readonly from: number;
  readonly to: number;
  /** The route that is chosen, where one is. */
  readonly route?: string | undefined;
}

export interface PanelResult {
  /** Prometheus' own message; undefined when it could answer. */
  readonly error: string | undefined;
  /** Values that are numbers, of all series; NaN shows as nothing. */
  readonly numbers: number;
  /** The expression with everything chosen. */
  readonly asked: string;
}

const sample = z.tuple([z.number(), z.string()]);
const answer = z.union([
  z.object({ status: z.literal("error"), error: z.string() }),
  z.object({
    status: z.literal("success"),
    data: z.object({ result: z.array(z.object({ value: sample.optional(), values: z.array(sample).optional() })) }),
  }),
]);

/** Scrapes are a second apart; Grafana's rates are over four of them at least. */
const STEP = 1;
const RATE = "5s";

/** @returns the expression as it is when "All" is chosen of everything but the route */
export function withChoices(expression: string, { from, to, route }: Scene): string {
  const choices: Readonly<Record<string, string>> = {
    $__rate_interval: RATE,
    $__interval: `${STEP}s`,
    $__range: `${Math.ceil(to - from)}s`,
    $namespace: ".*",
    $job: ".*",
    $cluster: ".*",
    $zone: ".*",
    $instance: ".*",
    ...(route === undefined ? {} : { $route: route }),
  };
  const chosen = Object.entries(choices).reduce((text, [name, value]) => text.replaceAll(name, value), expression);
  const left = /\$(?:__)?[a-z_]+/.exec(chosen);
  if (left !== null) throw new Error(`${left[0]} is no choice: ${expression}`);
  return chosen;
}

/** @throws when Prometheus does not answer at all */
export async function runPanel(scene: Scene, expression: string, kind: "instant" | "range"): Promise<PanelResult> {
  const asked = withChoices(expression, scene);
  const times = kind === "instant" ? { time: scene.to } : { start: scene.from, end: scene.to, step: STEP };
  const query = new URLSearchParams({
    query: asked,
    ...Object.fromEntries(Object.entries(times).map(([key, value]) => [key, String(value)])),
  });
  const response = await fetch(`${scene.url}/api/v1/${kind === "instant" ? "query" : "query_range"}?${query}`);
  const result = answer.parse(await response.json());
  if (result.status === "error") return { error: result.error, numbers: 0, asked };
  const values = result.data.result.flatMap((series) => series.values ?? (series.value === undefined ? [] : [series.value]));
  return { error: undefined, numbers: values.filter(([, value]) => Number.isFinite(Number(value))).length, asked };
}
