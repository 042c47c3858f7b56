/**
 * Which endpoints are asked last because requests keep failing there. Faster than probes, and weaker: nobody is excluded, so that the only
 * endpoint goes on being asked whatever it does, and each listener of each process judges by what it met itself.
 *
 *     well ─ 5 failures in a row ─► ejected for 10 s × how often ─► on trial: a request a second ─ success ─► well
 *                                        ▲                                │
 *                                        └──────────── failure ───────────┘
 */
import type { Milliseconds } from "../../../model/units.ts";
import type { ProxyEndpoint } from "./endpoints.ts";
import type { EjectionSettings } from "./settings.ts";

interface EndpointRecord {
  /** In a row. */
  failures: number;
  /** How often it was ejected lately. */
  times: number;
  /** Asked last until then. */
  until: number;
  isOnTrial: boolean;
  /** When something last happened. */
  touched: number;
}

export class Ejection {
  readonly #settings: EjectionSettings;
  /** Those that failed lately; hardly ever anybody. */
  readonly #records = new Map<string, EndpointRecord>();
  #ejections = 0;

  constructor(settings: EjectionSettings) {
    this.#settings = settings;
  }

  /** Since the start; only grows. */
  get ejections(): number {
    return this.#ejections;
  }

  /** Nobody has failed lately. */
  get isQuiet(): boolean {
    return this.#records.size === 0;
  }

  isEjected({ id }: ProxyEndpoint, now: Milliseconds): boolean {
    const record = this.#records.get(id);
    return record !== undefined && now < record.until;
  }

  /** A request goes there. */
  onSend({ id }: ProxyEndpoint, now: Milliseconds): void {
    const record = this.#records.get(id);
    if (record === undefined || record.failures < this.#settings.failures || now < record.until) return;
    record.isOnTrial = true;
    record.until = now + this.#settings.trial;
  }

  onSuccess({ id }: ProxyEndpoint): void {
    if (this.isQuiet) return;
    const record = this.#records.get(id);
    if (record === undefined) return;
    record.failures = 0;
    record.until = 0;
    record.isOnTrial = false;
    if (record.times === 0) this.#records.delete(id);
  }

  onFailure({ id }: ProxyEndpoint, now: Milliseconds): void {
    const { failures, time, longest } = this.#settings;
    let record = this.#records.get(id);
    if (record === undefined) {
      record = { failures: 0, times: 0, until: 0, isOnTrial: false, touched: now };
      this.#records.set(id, record);
    }
    record.touched = now;
    record.failures++;
    // what failed while it is ejected was sent before, or because nobody else was left
    if (record.failures < failures || (now < record.until && !record.isOnTrial)) return;
    record.times++;
    record.isOnTrial = false;
    record.until = now + Math.min(longest, time * record.times);
    this.#ejections++;
  }

  /** Forgets what is long ago. */
  sweep(now: Milliseconds): void {
    for (const [id, { until, touched }] of this.#records)
      if (now - Math.max(until, touched) > this.#settings.longest) this.#records.delete(id);
  }

  /** @returns how many are asked last */
  count(now: Milliseconds): number {
    let ejected = 0;
    for (const { until } of this.#records.values()) if (now < until) ejected++;
    return ejected;
  }
}
