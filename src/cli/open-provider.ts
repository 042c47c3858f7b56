/** From what a DNSZone says of its provider to one that can be written to. */
import { randomInt } from "node:crypto";
import { type Provider, ProviderError } from "../../dns-providers/provider.ts";
import { createRfc2136Provider } from "../../dns-providers/rfc2136/rfc2136-provider.ts";
import { exchangeOverTcp } from "../../dns-providers/rfc2136/tcp-exchange.ts";
import { readTsigKey } from "../dns/transfer/key-file.ts";
import type { ProvidedZone } from "./provider-publisher.ts";

/**
 * @param wallClock milliseconds since the epoch
 * @throws ProviderError when the key's file cannot be used
 */
export function openProvider({ domain, provider }: ProvidedZone, wallClock: () => number): Provider {
  const { server, key: entry } = provider;
  const file = readTsigKey(entry);
  if ("fault" in file)
    throw new ProviderError(
      "unauthorized",
      `rfc2136 ${server.host}:${server.port} ${domain}`,
      `${entry.path} ${file.fault.message}`,
      file.fault.remedy,
    );
  return createRfc2136Provider({
    server,
    domain,
    key: file.key,
    exchange: exchangeOverTcp,
    wallClock,
    randomId: () => randomInt(0x1_0000),
  });
}
