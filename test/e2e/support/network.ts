/** Machines of the test's network namespace: processes with an address of their own, and ways between two addresses that can be cut. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { preload } from "./preload.ts";

/** From which processes come that have none of their own. */
export const SHARED_ADDRESS = "198.18.0.1";

/** Environment of a Node process whose TCP connections to 198.18.0.0/15 come from this address of it. */
export const ownAddress = (address: string): Readonly<Record<string, string>> =>
  preload(`import { Socket } from "node:net";
const connect = Socket.prototype.connect;
Socket.prototype.connect = function (...args) {
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (/^198\\.1[89]\\./.test(options?.host ?? "")) options.localAddress = ${JSON.stringify(address)};
  return connect.apply(this, args);
};`);

const ip = async (...args: readonly string[]): Promise<string> => (await promisify(execFile)("ip", args)).stdout;

/** Lets every packet from one address to the other vanish: who connects the other way hears nothing. @returns what mends it */
export async function cutWay(from: string, to: string): Promise<() => Promise<void>> {
  // The kernel looks a machine's own addresses up before all other rules, unless that rule comes later.
  if (/^0:/m.test(await ip("rule", "show"))) {
    await ip("rule", "add", "pref", "1000", "lookup", "local");
    await ip("rule", "del", "pref", "0");
  }
  const rule = ["pref", "10", "from", from, "to", to, "blackhole"];
  await ip("rule", "add", ...rule);
  return async () => void (await ip("rule", "del", ...rule));
}
