/** A real Prometheus that scrapes one target every second, on a free port and in a folder of its own. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { freePort } from "./free-port.ts";

export interface Prometheus {
  readonly url: string;
  /** Result of an instant query. */
  readonly query: (expression: string) => Promise<readonly { readonly metric: Readonly<Record<string, string>>; readonly value: number }[]>;
  /** Exemplars of a query's series, of the last ten minutes. */
  readonly exemplars: (expression: string) => Promise<readonly StoredExemplar[]>;
  /** How the last scrape of the target went. */
  readonly target: () => Promise<{ readonly health: string; readonly lastError: string }>;
  readonly stop: () => Promise<void>;
}

export interface StoredExemplar {
  readonly series: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Seconds since the epoch. */
  readonly timestamp: number;
}

const labels = z.record(z.string(), z.string());
const vectorAnswer = z.object({
  data: z.object({ result: z.array(z.object({ metric: labels, value: z.tuple([z.number(), z.string()]) })) }),
});
const exemplarAnswer = z.object({
  data: z.array(z.object({ seriesLabels: labels, exemplars: z.array(z.object({ labels, value: z.string(), timestamp: z.number() })) })),
});
const targetsAnswer = z.object({ data: z.object({ activeTargets: z.array(z.object({ health: z.string(), lastError: z.string() })) }) });

/**
 * @param target `127.0.0.1:8053`, whose `/metrics` is scraped; or several
 * @param rules  paths of rule files
 * @param alertmanager `127.0.0.1:9093`, which gets the alerts that fire
 * @throws with what it printed, if it ends instead of becoming ready
 */
export async function startPrometheus(
  target: string | readonly string[],
  rules: readonly string[] = [],
  alertmanager?: string,
): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), "globalroute-prometheus-"));
  const config = {
    global: { scrape_interval: "1s", evaluation_interval: "1s" },
    rule_files: rules,
    ...(alertmanager === undefined ? {} : { alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager] }] }] } }),
    scrape_configs: [{ job_name: "globalroute", static_configs: [{ targets: [target].flat() }] }],
  };
  writeFileSync(join(folder, "prometheus.yml"), JSON.stringify(config)); // JSON is YAML
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    "prometheus",
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=${address}`,
      "--enable-feature=exemplar-storage",
      "--log.level=warn",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let printed = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  const url = `http://${address}`;
  const get = async <T>(path: string, schema: z.ZodType<T>): Promise<T> => schema.parse(await (await fetch(`${url}${path}`)).json());
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, "exit");
      child.kill("SIGTERM");
      await exit;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  for (const deadline = performance.now() + 20_000; ; await setTimeout(100)) {
    const ready = await fetch(`${url}/-/ready`).catch(() => undefined);
    if (ready?.ok === true) break;
    if (child.exitCode === null && performance.now() < deadline) continue;
    await stop();
    throw new Error(`prometheus did not become ready:\n${printed}`);
  }
  return {
    url,
    async query(expression) {
      const { data } = await get(`/api/v1/query?query=${encodeURIComponent(expression)}`, vectorAnswer);
      return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    async exemplars(expression) {
      const now = Date.now() / 1000;
      const path = `/api/v1/query_exemplars?query=${encodeURIComponent(expression)}&start=${now - 600}&end=${now + 60}`;
      const { data } = await get(path, exemplarAnswer);
      return data.flatMap(({ seriesLabels, exemplars }) =>
        exemplars.map(({ labels, value, timestamp }) => ({ series: seriesLabels, labels, value: Number(value), timestamp })),
      );
    },
    async target() {
      const { data } = await get("/api/v1/targets", targetsAnswer);
      return data.activeTargets[0] ?? { health: "none", lastError: "" };
    },
    stop,
  };
}

/** `promtool check metrics`. @returns its exit code and all that it printed */
export function checkMetrics(text: string): { readonly code: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
  return { code: status, output: stdout + stderr };
}
