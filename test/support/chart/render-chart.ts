/** The chart as helm renders it, and what stands in it. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { builtCommand } from "../component.ts";
import { repository } from "../source-tree.ts";

export const chart = join(repository, "charts", "globalroute");
export const RELEASE = "globalroute";
export const NAMESPACE = "globalroute-system";

/** As much of any object as every test needs; the rest is kept. */
const manifestSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** @throws with helm's own message */
export function helm(...args: readonly string[]): string {
  const run = spawnSync(builtCommand("helm"), args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (run.error) throw run.error;
  if (run.status !== 0) throw new Error(`helm ${args[0]} ended with ${run.status}: ${run.stderr.trim()}`);
  return run.stdout;
}

/** @param values in the words of `--set-json`, each `path=JSON` */
export const templateText = (values: readonly string[] = [], more: readonly string[] = []): string =>
  helm("template", RELEASE, chart, "--namespace", NAMESPACE, ...values.flatMap((value) => ["--set-json", value]), ...more);

/** @throws when a document is no object of Kubernetes, or YAML has a mistake */
export function parseManifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    if ("errors" in document && document.errors.length > 0) throw document.errors[0];
    const value: unknown = document.toJS();
    return value === null ? [] : [manifestSchema.parse(value)];
  });
}

export const renderChart = (values: readonly string[] = []): readonly Manifest[] => parseManifests(templateText(values));

/** @throws unless there is exactly one */
export function only(manifests: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = manifests.filter((manifest) => manifest.kind === kind && (name === undefined || manifest.metadata.name === name));
  const [first] = found;
  if (first === undefined || found.length > 1)
    throw new Error(`${found.length} of kind ${kind}${name === undefined ? "" : ` named ${name}`}`);
  return first;
}
