import type { Endpoint, ProbeResult } from "../../src/model/health.ts";
import type { ProbeLimits } from "../ports.ts";
import { attempt } from "./attempt.ts";
import { dialTcp } from "./dial.ts";

/** Ok when the endpoint accepts a connection. */
export const probeTcp = (endpoint: Endpoint, limits: ProbeLimits): Promise<ProbeResult> =>
  attempt(limits, (run) => {
    const socket = dialTcp(endpoint, run, () => run.finish("ok"));
    run.release(() => socket.destroy());
  });
