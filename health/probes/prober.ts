/** All kinds of probe behind one function. */
import { createSecureContext } from "node:tls";
import { ms } from "../../src/model/units.ts";
import type { Probe } from "../ports.ts";
import { type AddressPolicy, forbiddenAddress } from "./address-check.ts";
import { probeGrpc } from "./grpc.ts";
import { createHttpProber } from "./http.ts";
import { probeTcp } from "./tcp.ts";
import { probeTls } from "./tls.ts";

export interface ProberOptions extends AddressPolicy {
  /** PEM of the roots that certificates are verified against; absent = those of Node. */
  readonly ca?: string;
}

export interface Prober {
  /** Checks the address, then probes. Never rejects. */
  readonly probe: Probe;
  /** Closes every kept connection. Probes under way end by their own deadline or signal. */
  close(): Promise<void>;
}

/** The prober of one process. It keeps HTTPS connections open between probes. */
export function createProber(options: ProberOptions): Prober {
  const context = createSecureContext(options.ca === undefined ? {} : { ca: options.ca });
  const http = createHttpProber(context);
  return {
    probe: async (endpoint, limits) => {
      if (forbiddenAddress(endpoint.address, endpoint.probe.port, options) !== undefined) {
        return { ok: false, reason: "forbidden-address", latency: ms(0) };
      }
      switch (endpoint.probe.type) {
        case "HTTP":
          return http.probe(endpoint, limits);
        case "TCP":
          return probeTcp(endpoint, limits);
        case "TLS":
          return probeTls(endpoint, context, limits);
        case "GRPC":
          return probeGrpc(endpoint, context, limits);
      }
    },
    close: http.close,
  };
}
