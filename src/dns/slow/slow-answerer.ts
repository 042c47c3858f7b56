/** Answers queries that other threads could not: with keys at hand, by the very same `answer()`. */
import { answer, newAnswerContext, useTables } from "../answer.ts";
import type { AnswerSettings } from "../answer-settings.ts";
import type { QueryCounters } from "../counters.ts";
import { lowerCased } from "../dnssec/canonical.ts";
import { newSource } from "../source.ts";
import { answerSigned } from "../transfer/signed-answer.ts";
import type { TsigKey } from "../transfer/tsig.ts";
import { encodeName } from "../wire/name.ts";
import type { ServingTables } from "../zone-table.ts";
import type { Queued } from "./rings.ts";
import type { SignatureCache } from "./signature-cache.ts";
import type { SlowSecrets } from "./slow-link.ts";
import { readSender } from "./slow-queue.ts";
import { createSlowSigner } from "./slow-signer.ts";

export interface SlowAnswererOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** [0, 1) */
  readonly random: () => number;
  /** Gets every signature that is made. */
  readonly recent: SignatureCache;
  readonly counters: QueryCounters;
  /** Without rate limits: who handed a query over has counted it. */
  readonly settings: AnswerSettings;
}

export interface SlowAnswerer {
  readonly use: (tables: ServingTables, secrets: SlowSecrets) => void;
  /** @returns bytes written to `out`, which holds any answer over TCP; 0 = send nothing */
  readonly answer: (entry: Queued, out: Uint8Array) => number;
  /** Signatures made so far. */
  readonly signed: () => number;
}

export function createSlowAnswerer({ now, random, recent, counters, settings }: SlowAnswererOptions): SlowAnswerer {
  const signer = createSlowSigner(recent, now);
  const context = newAnswerContext({ now, random }, counters, settings, { recent, signer });
  const source = newSource(0);
  let tsigKeys: readonly TsigKey[] = [];
  const inner = (query: Uint8Array, length: number, from: typeof source, out: Uint8Array): number =>
    answer(query, length, from, out, context);
  return {
    use(tables, secrets) {
      tsigKeys = secrets.tsigKeys;
      signer.use(
        tables.zones.domains.map((domain, zone) => {
          const key = secrets.zoneKeys[zone];
          return key === undefined ? undefined : { key, apex: lowerCased(encodeName(domain)!) };
        }),
      );
      useTables(context, tables);
    },
    answer(entry, out) {
      readSender(entry, source);
      return Math.max(0, answerSigned(entry.message, entry.length, source, out, tsigKeys, now(), inner));
    },
    signed: signer.signed,
  };
}
