/** Starts the proxies on one core, and what they all stand before on the other, where the load comes from as well. */
import { mkdirSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { freePort } from "../../test/support/free-port.ts";
import type { Cleanup } from "../dns/cleanup.ts";
import { findProgram } from "../dns/contender.ts";
import { CLIENT_CORE, type PinnedProcess, SERVER_CORE, startPinned } from "../support/pinned-process.ts";
import { BODY, type Contender, type Site } from "./contender.ts";
import { nginxConfig } from "./nginx-config.ts";

export interface RunningProxy extends PinnedProcess {
  readonly name: string;
  readonly port: number;
}

const PATIENCE_MS = 60_000;

/** An nginx that answers everything with {@link BODY}, faster than any of the proxies passes it on. */
export async function startUpstream(host: string, folder: string, cleanup: Cleanup): Promise<Site & PinnedProcess> {
  const own = join(folder, "upstream");
  mkdirSync(own);
  const port = await freePort();
  const program = findProgram("nginx");
  if (program === undefined) throw new Error("nginx is missing, which the proxies stand before. Run `npm run components -- nginx`.");
  const args = ["-c", nginxConfig(own, `server { listen 127.0.0.1:${port}; location / { return 200 "${BODY}"; } }`)];
  const started = await startPinned(
    { name: "upstream", core: CLIENT_CORE, program, args, logFile: join(own, "log") },
    () => answers(port, host),
    cleanup,
    PATIENCE_MS,
  );
  return { host, upstreamPort: port, ...started };
}

/**
 * @param folder in which the proxy gets one of its own
 * @param round  names that folder
 * @returns once a request has come through it
 */
export async function startProxy(
  contender: Contender,
  site: Site,
  { folder, round }: { readonly folder: string; readonly round: number },
  cleanup: Cleanup,
): Promise<RunningProxy> {
  const { name } = contender;
  const own = join(folder, `${name}-${round}`);
  mkdirSync(own);
  const port = await freePort();
  const { args, environment = {} } = contender.configure(site, own, port);
  const program = contender.program() ?? name;
  const started = await startPinned(
    { name, core: SERVER_CORE, program, args, environment, logFile: join(own, "log") },
    () => answers(port, site.host),
    cleanup,
    PATIENCE_MS,
  );
  return { name, port, ...started };
}

/** Whether this is the upstream's answer, told with its length. */
const answers = (port: number, host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const asked = request({ host: "127.0.0.1", port, headers: { host }, agent: false, timeout: 1000 }, (response) => {
      let text = "";
      response.setEncoding("latin1").on("data", (piece: string) => {
        text += piece;
      });
      response.on("end", () => resolve(text === BODY && response.headers["content-length"] === String(BODY.length)));
      response.on("error", () => resolve(false));
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(false));
    asked.end();
  });
