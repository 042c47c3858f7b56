import type { Duplex } from "node:stream";
import type { Milliseconds } from "../../../model/units.ts";
import type { ProxyEndpoint } from "./endpoints.ts";
import type { Outcomes } from "./outcome.ts";

/** Time and network of the proxy, and who is told what became of requests. */
export interface ProxyPorts {
  /** Monotonic. */
  readonly now: () => Milliseconds;
  readonly setTimer: (delay: Milliseconds, callback: () => void) => () => void;
  /** Begins to connect. The stream emits "connect" when it is there, "error" when it will not be, and reports half-closed ends by "end". */
  readonly connect: (endpoint: ProxyEndpoint) => Duplex;
  /** Another number than before whenever who may be asked has changed: requests that wait where they would not be sent any more go elsewhere. */
  readonly tableVersion?: () => number;
  readonly outcomes?: Outcomes;
}
