/** Who may take a zone: networks and keys of `transfer.allow`. Pure. */
import type { Zone } from "../../model/inventory.ts";
import { type Ip, type Network, networkContains, parseNetwork } from "../../model/ip.ts";
import type { Source } from "../source.ts";

export interface TransferRule {
  /** Empty = everywhere. */
  readonly networks: readonly Network[];
  /** Name of the key that must have signed the request. */
  readonly key?: string;
}

export function transferRules({ transfer }: Zone): readonly TransferRule[] {
  return (transfer?.allow ?? []).map(({ networks, key }) => ({
    networks: networks.flatMap((text) => parseNetwork(text) ?? []),
    ...(key === undefined ? {} : { key }),
  }));
}

/** @param key name of the key that signed the request; undefined = nobody signed it */
export function isAllowed(rules: readonly TransferRule[], source: Source, key: string | undefined): boolean {
  const ip = ipOf(source);
  return rules.some(
    (rule) =>
      (rule.key === undefined || rule.key === key) &&
      (rule.networks.length === 0 || rule.networks.some((network) => networkContains(network, ip))),
  );
}

export const ipOf = ({ isV6, v4, v6 }: Source): Ip =>
  isV6 ? { family: 6, bytes: v6 } : { family: 4, bytes: Uint8Array.of(v4 >>> 24, v4 >>> 16, v4 >>> 8, v4) };
