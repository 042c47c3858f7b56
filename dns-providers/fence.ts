/**
 * Who may write to a zone: the writer of the newest term. One TXT record for each zone and owner carries the term and counts its writes, and
 * every write replaces exactly what its writer saw there (docs/safety.md, rule 5). A write that was held up, by a paused process or on the
 * wire, so finds another record and changes nothing.
 */
import { REGISTRY_LABEL, REGISTRY_TTL } from "./ownership.ts";
import { formatText, parseText, type RecordSet } from "./record-set.ts";

export interface Fence {
  /** Of the writer's term: greater than that of any before it. */
  readonly epoch: number;
  /** Writes since the term began. */
  readonly write: number;
}

export const fenceName = (domain: string, owner: string): string => `${owner}._fence.${REGISTRY_LABEL}.${domain}`;

export function formatFence(domain: string, owner: string, { epoch, write }: Fence): RecordSet {
  const text = `heritage=globalroute,globalroute/epoch=${epoch},globalroute/write=${write}`;
  return { name: fenceName(domain, owner), type: "TXT", ttl: REGISTRY_TTL, values: [formatText(text)] };
}

/** Undefined when it is no fence of ours. */
export function parseFence({ values }: RecordSet): Fence | undefined {
  const text = values.length === 1 ? parseText(values[0]!) : undefined;
  const match = /^heritage=globalroute,globalroute\/epoch=(\d{1,15}),globalroute\/write=(\d{1,15})$/.exec(text ?? "");
  return match === null ? undefined : { epoch: Number(match[1]), write: Number(match[2]) };
}

/** What the next write puts there. @returns undefined when a newer writer has the zone */
export function nextFence(current: Fence | undefined, epoch: number): Fence | undefined {
  if (current === undefined || current.epoch < epoch) return { epoch, write: 1 };
  return current.epoch === epoch ? { epoch, write: current.write + 1 } : undefined;
}
