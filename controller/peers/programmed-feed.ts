/** What one stream is still to be told of the generations that are served. */
import type { PublishedTable } from "../../src/engine/peer-port.ts";
import { MOST_ENTRIES, type Programmed } from "./peer-messages.ts";

/** Entries in one message. */
const BATCH = MOST_ENTRIES / 2;

export interface ProgrammedFeed {
  /** @returns the next message; undefined when the stream knows what is served */
  take(served: PublishedTable | undefined): Programmed | undefined;
}

export function createProgrammedFeed(): ProgrammedFeed {
  const told = new Map<string, number>();
  let settled: PublishedTable | undefined;
  return {
    take(served) {
      if (served === undefined || served === settled) return undefined;
      const set: [string, number][] = [];
      const gone: string[] = [];
      for (const [key, generation] of served.generations) {
        if (set.length >= BATCH) break;
        if (told.get(key) === generation) continue;
        told.set(key, generation);
        set.push([key, generation]);
      }
      for (const key of told.keys()) {
        if (gone.length >= BATCH) break;
        if (!served.generations.has(key)) gone.push(key);
      }
      for (const key of gone) told.delete(key);
      if (set.length < BATCH && gone.length < BATCH) settled = served;
      return set.length + gone.length === 0 ? undefined : { type: "programmed", version: served.version, set, gone };
    },
  };
}
