/**
 * Protects a listener on loopback from pages in a browser that reach it by DNS rebinding: the page's own host name resolves to
 * 127.0.0.1, so its requests carry that name in Host. Such a name is refused.
 */
import { parseIp } from "../model/ip.ts";

/** True for `localhost`, names below it, 127.0.0.0/8 and ::1 (in brackets or not). */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  const ip = parseIp(name);
  if (ip === undefined) return false;
  return ip.family === 4 ? ip.bytes[0] === 127 : ip.bytes.every((byte, i) => byte === (i === 15 ? 1 : 0));
}

/**
 * @param header   value of the request's Host header, with or without port
 * @param listener address or name that the listener was told to use
 * @returns false when a listener on loopback is asked for by a name that is neither loopback nor its own
 */
export function isHostAllowed(header: string | undefined, listener: string): boolean {
  if (!isLoopback(listener)) return true;
  if (header === undefined) return false;
  const host = header.replace(/:\d*$/, "").toLowerCase();
  return isLoopback(host) || host === listener.toLowerCase();
}
