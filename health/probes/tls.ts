import type { SecureContext } from "node:tls";
import type { Endpoint, ProbeResult } from "../../src/model/health.ts";
import type { ProbeLimits } from "../ports.ts";
import { attempt } from "./attempt.ts";
import { dialTls } from "./dial.ts";

/** Ok when the handshake completes and the certificate is valid for the probe's host. */
export const probeTls = (endpoint: Endpoint, context: SecureContext, limits: ProbeLimits): Promise<ProbeResult> =>
  attempt(limits, (run) => {
    const socket = dialTls(endpoint, context, [], run, () => run.finish("ok"));
    run.release(() => socket.destroy());
  });
