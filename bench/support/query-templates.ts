/** DNS queries of equal size, to be copied word by word. */
import { Type } from "../../src/dns/wire/codes.ts";
import { encodeQuery } from "../../src/dns/wire/encode-query.ts";
import type { Clients } from "./clients.ts";

/** 32-bit words that one takes, behind its end zeros. */
export const WORDS = 20;

/**
 * @param routes  query → route
 * @param subnets clients whose /24 or /56 the queries name; undefined = no EDNS
 * @param family  of clients and of the answers asked for
 */
export function queryTemplates(
  routes: Int32Array,
  hostOf: (route: number) => string,
  subnets: Clients | undefined,
  family: 4 | 6,
): { readonly words: Int32Array; readonly lengths: Uint8Array } {
  const words = new Int32Array(WORDS * routes.length);
  const bytes = new Uint8Array(words.buffer);
  const lengths = new Uint8Array(routes.length);
  routes.forEach((route, i) => {
    const query = encodeQuery({
      id: i & 0xffff,
      name: hostOf(route),
      type: family === 4 ? Type.A : Type.AAAA,
      ...(subnets !== undefined && { edns: { clientSubnet: subnetOf(subnets, i, family) } }),
    });
    if (query.length > 4 * WORDS) throw new Error(`a query of ${query.length} bytes does not fit ${WORDS} words`);
    bytes.set(query, 4 * WORDS * i);
    lengths[i] = query.length;
  });
  return { words, lengths };
}

function subnetOf({ v4, v6 }: Clients, i: number, family: 4 | 6) {
  if (family === 6) return { family, address: v6.slice(16 * i, 16 * i + 16).fill(0, 7), source: 56 } as const;
  const ip = v4[i]!;
  return { family, address: Uint8Array.of(ip >>> 24, ip >>> 16, ip >>> 8, 0), source: 24 } as const;
}
