/** What a vantage is still to be told of the endpoints it should watch. */
import type { Endpoint, EndpointKey } from "../../src/model/health.ts";
import type { Targets } from "./peer-messages.ts";

/** Endpoints in one message. */
const BATCH = 200;
const GONE_BATCH = 1000;

export interface TargetFeed {
  /** @returns the next message; undefined when the vantage knows them all */
  take(wanted: ReadonlyMap<EndpointKey, Endpoint>): Targets | undefined;
}

export function createTargetFeed(): TargetFeed {
  const told = new Set<EndpointKey>();
  let settled: ReadonlyMap<EndpointKey, Endpoint> | undefined;
  return {
    take(wanted) {
      if (wanted === settled) return undefined;
      const isFirst = settled === undefined && told.size === 0;
      const add: Endpoint[] = [];
      const gone: EndpointKey[] = [];
      let isLast = true;
      for (const [key, endpoint] of wanted) {
        if (told.has(key)) continue;
        if (add.length >= BATCH) {
          isLast = false;
          break;
        }
        told.add(key);
        add.push(endpoint);
      }
      for (const key of told) {
        if (wanted.has(key)) continue;
        if (gone.length >= GONE_BATCH) {
          isLast = false;
          break;
        }
        gone.push(key);
      }
      for (const key of gone) told.delete(key);
      if (isLast) settled = wanted;
      // The first one is told even when there is nothing to watch: it ends what an earlier connection asked for.
      return add.length + gone.length === 0 && !isFirst ? undefined : { type: "targets", add, gone, isLast };
    },
  };
}
