/** What is told of fleets as it happens: who has rejected something, who has taken it after all, and who is nobody we know. */
import type { FleetStatus } from "../engine/view.ts";
import type { Log } from "../observe/log.ts";
import type { Timeline } from "../observe/timeline.ts";
import { createToldOnce } from "./told-once.ts";

export interface FleetNews {
  /** @param strangers sentences about Envoys that are of no fleet */
  review(fleets: readonly FleetStatus[], strangers: readonly string[]): void;
  /** Of one that did not get through TLS: nobody knows which Envoy it was. @param why as in "it shows no certificate" */
  turnedAway(why: string): void;
}

interface Ports {
  readonly timeline: Pick<Timeline, "add">;
  readonly log: Pick<Log, "info" | "warn">;
  /** Milliseconds on any clock. */
  readonly now: () => number;
}

/** Of proxies that reject the same, or are cut off together, so many have an event of their own in one review. */
const MOST_EVENTS = 20;

export function createFleetNews({ timeline, log, now }: Ports): FleetNews {
  const told = createToldOnce(now);
  /** Proxy → what it does not take. */
  let rejecting: ReadonlyMap<string, string> = new Map();
  return {
    review(fleets, strangers) {
      const found = new Map<string, string>();
      let left = MOST_EVENTS;
      for (const { name: fleet, members, problems } of fleets) {
        for (const sentence of problems) if (told.isNew(fleet, sentence)) log.warn({ fleet }, sentence);
        for (const { name, state, problem = "" } of members) {
          const proxy = `${fleet}/${name}`;
          if (state === "Unreachable" && problem !== "" && told.isNew(proxy, problem)) log.warn({ fleet, proxy: name }, problem);
          if (state !== "Rejected" && state !== "Failed") continue;
          found.set(proxy, problem);
          if (rejecting.get(proxy) === problem || left-- <= 0) continue;
          const message = `${name} has not taken what it was told and goes on with what it had: ${problem}`;
          log.warn({ fleet, proxy: name }, message);
          timeline.add({ kind: "ProxyRejected", object: `ProxyFleet ${fleet}`, message, details: { proxy: name, reason: problem } });
        }
      }
      for (const proxy of rejecting.keys()) {
        if (found.has(proxy) || left-- <= 0) continue;
        const [fleet = "", name = ""] = proxy.split("/");
        // One that has gone away rejects nothing any more, either.
        timeline.add({
          ...{ kind: "ProxyRecovered", object: `ProxyFleet ${fleet}`, details: { proxy: name } },
          message: `${name} takes what it is told again, or is gone`,
        });
      }
      rejecting = found;
      for (const sentence of strangers) if (told.isNew("", sentence)) log.warn({}, sentence);
    },
    turnedAway(why) {
      const sentence = `somebody who asked at --xds was turned away: ${why}. If that was an Envoy, correct the TLS of its cluster for --xds.`;
      if (told.isNew("", sentence)) log.warn({}, sentence);
    },
  };
}
