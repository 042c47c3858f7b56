/** A server's own drains: what `globalroute drain` writes into the folder of objects, written for whoever has the admin token. */
import type { ActDesk } from "../admin/act-desk.ts";
import { ApiError, type ApiErrorCode } from "../admin/api-error.ts";
import type { EngineView } from "../engine/view.ts";
import { parseDuration } from "../model/duration.ts";
import type { Log } from "../observe/log.ts";
import { type Act, formatTarget, overrideName, parseTarget, type Target } from "./act.ts";
import { CommandError } from "./io.ts";
import { missingTarget, removeOverride, writeOverride } from "./override-file.ts";

export interface ActDeskOptions {
  readonly folder: string;
  readonly view: Pick<EngineView, "status">;
  readonly log: Pick<Log, "info">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Who did it, for the record. */
const BY = "whoever has the admin token";
/** As in a status. */
const nameOf = (target: Target): string =>
  target.kind === "MemberCluster" ? `MemberCluster ${target.name}` : `GlobalRoute ${formatTarget(target)}`;

export function createActDesk({ folder, view, log, now }: ActDeskOptions): ActDesk {
  return {
    canDrain: true,
    command: `globalroute drain CLUSTER --reason "…" --for 30m --config ${folder}`,
    async drain(text, reason, duration) {
      const target = await orApiError("bad-request", () => parseTarget(text));
      const missing = missingTarget(view.status(false), target);
      if (missing !== undefined) throw new ApiError("no-target", sentence(missing));
      const period = parseDuration(duration);
      if ("fault" in period)
        throw new ApiError("bad-request", `for: ${JSON.stringify(duration)} ${period.fault.message}. ${period.fault.remedy}`);
      if (period.value <= 0) throw new ApiError("bad-request", "for: a drain of no length would end before it begins.");
      const until = now() + period.value;
      const act: Act = { verb: "drain", action: "Drain", target, reason, until, by: BY };
      const file = await orApiError("not-written", () => writeOverride(folder, act));
      const drained = { target: formatTarget(target), until: new Date(until).toISOString(), file };
      log.info({ ...drained, reason }, "drained by the API");
      return drained;
    },
    async undrain(text) {
      const target = await orApiError("bad-request", () => parseTarget(text)); // one that is gone can still be drained
      const removed = await orApiError("not-written", () => removeOverride(folder, "drain", target));
      if (removed) log.info({ target: formatTarget(target) }, "undrained by the API");
      const own = overrideName({ verb: "drain", target });
      const others = view
        .status(false)
        .overrides.filter((one) => one.action === "Drain" && one.target === nameOf(target) && one.name.split("/").at(-1) !== own);
      return { target: formatTarget(target), removed, drainedBy: others.map(({ name }) => `TrafficOverride ${name}`) };
    },
  };
}

const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

/** @throws ApiError of the code where the command line would refuse */
async function orApiError<T>(code: ApiErrorCode, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CommandError) throw new ApiError(code, sentence(error.message));
    throw error;
  }
}
