/** The demo's engine: the same composition as `serve`, on the demo's folder and ports. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { formatListenAddress, type ListenAddress, ListenError } from "../../model/listen-address.ts";
import { createLog, type Log } from "../../observe/log.ts";
import { CommandError, type Io } from "../io.ts";
import { hasIpv6Loopback } from "../loopback.ts";
import { type Service, startService } from "../service.ts";
import type { DemoFolder } from "./demo-folder.ts";
import { SITES_NETWORK } from "./world.ts";

export interface DemoPorts {
  /** 0 = any free one, as for the two below. */
  readonly dnsPort: number;
  readonly adminPort: number;
  readonly proxyPort: number;
  readonly watchResolvers: readonly ListenAddress[];
  /** Geo databases instead of the one in the package; empty = that one. */
  readonly mmdb: readonly string[];
}

/**
 * @param logToFile a terminal that is drawn on is no place for a log: it goes to `demo/demo.log` then, else warnings go to standard error
 * @throws CommandError that names the demo's own option when a port is taken
 */
export async function startDemoService(
  { dnsPort, adminPort, proxyPort, watchResolvers, mmdb }: DemoPorts,
  folder: DemoFolder,
  logToFile: boolean,
  io: Io,
): Promise<Service> {
  const options = {
    source: { folder: folder.config },
    state: folder.state,
    listen: ["127.0.0.1", ...(hasIpv6Loopback() ? ["::1"] : [])].map((address) => ({ address, port: dnsPort })),
    listenFlag: "--port",
    transport: "auto" as const,
    workers: 1,
    admin: { address: "127.0.0.1", port: adminPort },
    adminFlag: "--admin-port",
    mmdb,
    probeAllow: [SITES_NETWORK],
    references: [],
    watchResolvers,
    // Whoever tries it says by X-Forwarded-For where they are: on loopback everybody is from nowhere.
    proxy: { listen: [{ address: "127.0.0.1", port: proxyPort }], trustedHops: 1, flag: "--proxy-port" },
    vantage: "demo",
  };
  try {
    return await startService(options, io, demoLog(folder, logToFile, io));
  } catch (error) {
    if (error instanceof ListenError) throw new CommandError(1, error.message, { cause: error });
    throw error;
  }
}

/** URL at which the service passes requests on. */
export const proxyUrl = ({ proxy: [first] }: Pick<Service, "proxy">): string =>
  first === undefined ? "" : `http://${formatListenAddress(first)}`;

/** URL of the service's HTTP API. */
export const adminUrl = (service: Pick<Service, "admin">): string => `http://${formatListenAddress(service.admin)}`;

function demoLog(folder: DemoFolder, toFile: boolean, io: Io): Log {
  const file = join(folder.state, "demo.log");
  return toFile
    ? createLog({ level: "info", pretty: false, now: io.now, write: (line) => appendFileSync(file, line) })
    : createLog({ level: "warn", pretty: io.stderr.isTTY === true, now: io.now, write: (line) => void io.stderr.write(line) });
}
