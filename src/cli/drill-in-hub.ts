/** Follows a drill by its object alone, where no server can be asked: whether it is in force, over, or was given up. */
import { TRAFFIC_OVERRIDES } from "../../controller/kube/resources.ts";
import { readStatus } from "../model/read-status.ts";
import type { FollowedDrill } from "./drill-follow.ts";
import type { Hub } from "./hub.ts";
import { CommandError, type Io } from "./io.ts";
import { withProgressLine } from "./progress.ts";

const LOOK_EVERY = 2000;
/** Ms after its start and after its end within which the controller says so. */
const TOLD_WITHIN = 60_000;

/** @returns a sentence about its end, and whether it ran for all of its time */
export async function followInHub(hub: Hub, drill: FollowedDrill, io: Io): Promise<{ readonly ok: boolean; readonly words: string }> {
  const { key, start, until, remove } = drill;
  const [namespace, name = ""] = key.split("/");
  let last = "waits for the controller";
  let signals = 0;
  let wake = (): void => {};
  const onSignal = (): void => {
    signals++;
    wake();
  };
  const forget = (["SIGINT", "SIGTERM"] as const).map((signal) => io.onSignal(signal, onSignal));

  async function untilEnd(): Promise<{ readonly ok: boolean; readonly words: string }> {
    let hasBegun = false;
    for (;;) {
      if (signals > 0) {
        await remove();
        return { ok: false, words: `Taken back: TrafficOverride ${key} is deleted, and what it withdrew returns.` };
      }
      const object = await hub.api.get(TRAFFIC_OVERRIDES, namespace, name);
      if (object === undefined) return { ok: false, words: `Somebody has deleted TrafficOverride ${key}: what it withdrew returns.` };
      const active = readStatus("TrafficOverride", object.status)?.conditions.find(({ type }) => type === "Active");
      hasBegun ||= active?.status === "True";
      if (active?.reason === "Over") return { ok: hasBegun, words: `Over: ${active.message}` };
      if (active?.reason === "DrillAborted") return { ok: false, words: `Given up at a second failure: ${active.message}` };
      const now = io.now();
      if (now > (hasBegun ? until : start) + TOLD_WITHIN)
        throw new CommandError(1, `the controller has not said of TrafficOverride ${key} that it ${hasBegun ? "is over" : "has begun"}.`);
      last = hasBegun ? `in force until ${new Date(until).toISOString()}` : `begins at ${new Date(start).toISOString()}`;
      const sleeping = new AbortController();
      wake = () => sleeping.abort();
      await io.sleep(LOOK_EVERY, sleeping.signal);
    }
  }

  try {
    return await withProgressLine(io, () => last, untilEnd);
  } finally {
    for (const end of forget) end();
  }
}
