/** The real HTTP server of a {@link FakeView}, on a free port of loopback, for what talks to a running server. */
import { type AdminServer, type AdminServerOptions, createAdminServer } from "../../src/admin/server.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { createFakeView, type FakeView } from "./fake-view.ts";

export const FAKE_TOKEN = "0123456789abcdef0123";

export interface FakeServer {
  readonly view: FakeView;
  /** Whoever starts one stops it. */
  readonly admin: AdminServer;
  readonly url: string;
}

/** @param every drives what streams send by themselves; never, unless given */
export async function startFakeServer(every: AdminServerOptions["every"] = () => () => {}): Promise<FakeServer> {
  const view = createFakeView();
  const admin = await createAdminServer({
    view,
    metrics: createMetrics(),
    listen: { address: "127.0.0.1", port: 0 },
    flag: "--admin",
    token: FAKE_TOKEN,
    version: "0.0.0",
    log: { error: () => {} },
    every,
  });
  await admin.start();
  return { view, admin, url: `http://127.0.0.1:${admin.address().port}` };
}
