/** A plan in a file: made by `plan --save`, carried out by `apply`. There are no secrets in it, but addresses that are not public yet. */
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { z } from "zod";
import type { ZonePlan, ZonePlans } from "../../dns-providers/zone-plan.ts";
import { zonePlanSchema } from "../admin/plan-schemas.ts";
import { CommandError } from "./io.ts";
import { digest } from "./open-provider.ts";

const VERSION = 1;

const fileSchema = z.object({
  globalroutePlan: z.literal(VERSION),
  made: z.string().meta({ description: "ISO 8601 instant" }),
  zones: z.array(zonePlanSchema),
  digest: z.string(),
});

/**
 * Readable by its owner alone; one that is there is replaced in one step.
 *
 * @param now milliseconds since the epoch
 * @throws CommandError (exit 2)
 */
export async function savePlan(path: string, { zones }: Pick<ZonePlans, "zones">, now: number): Promise<void> {
  const content = { globalroutePlan: VERSION, made: new Date(now).toISOString(), zones, digest: digestOf(zones) };
  const aside = `${path}.new`;
  try {
    await rm(aside, { force: true });
    await writeFile(aside, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flag: "wx" });
    await rename(aside, path);
  } catch (cause) {
    throw new CommandError(
      2,
      `${path}: ${cause instanceof Error ? cause.message : cause}. Name a file in a folder that you may write to.`,
      {
        cause,
      },
    );
  }
}

/** @throws CommandError (exit 2) when there is none, it is no plan, or it has been changed since it was made */
export async function loadPlan(path: string): Promise<readonly ZonePlan[]> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(2, `${path}: ${why}. Make it with \`globalroute plan --save ${path}\`.`, { cause });
  });
  const plan = fileSchema.safeParse(parseJson(text)).data;
  if (plan === undefined)
    throw new CommandError(2, `${path} is no plan of this version. Make one with \`globalroute plan --save ${path}\`.`);
  if (plan.digest !== digestOf(plan.zones))
    throw new CommandError(2, `${path} is not as it was saved. Make it anew with \`globalroute plan --save ${path}\`, and review that.`);
  return plan.zones;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Equal for equal plans, whatever order their members were written in. */
const digestOf = (zones: readonly ZonePlan[]): string => `sha256:${digest(canonical(zones))}`;

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join()}}`;
}
