/** {@link FrontWorld} inside a test, at whose end everything is closed. */
import { type ClientHttp2Session, connect } from "node:http2";
import { onTestFinished } from "vitest";
import { CA, type FrontWorld, SHOP, startFrontWorld } from "./front-world.ts";

export async function openFront(...how: Parameters<typeof startFrontWorld>): Promise<FrontWorld> {
  const world = await startFrontWorld(...how);
  onTestFinished(world.close);
  return world;
}

/** A client of HTTP/2 that asks for {@link SHOP}. */
export function openSession({ proxy }: FrontWorld): ClientHttp2Session {
  const client = connect(`https://127.0.0.1:${proxy.port}`, { servername: SHOP, ca: CA });
  client.on("error", () => {});
  onTestFinished(() => client.destroy());
  return client;
}
