/** A world in which every country has networks of its own, and clients that ask from there with their client subnet. */

import { Type } from "../../../src/dns/wire/codes.ts";
import { decodeMessage } from "../../../src/dns/wire/decode-message.ts";
import { encodeQuery } from "../../../src/dns/wire/encode-query.ts";
import { buildGeoTable } from "../../../src/geo/build-geo-table.ts";
import { loadCentroids } from "../../../src/geo/country-centroids.ts";
import { newLatencyMap } from "../../../src/geo/latency-model.ts";
import { openMmdb } from "../../../src/geo/mmdb-tree.ts";
import type { Inventory } from "../../../src/model/inventory.ts";
import { maskNetwork, type Network, parseIp, parseNetwork } from "../../../src/model/ip.ts";
import { compile } from "../../../src/routing/compile.ts";
import { measuresOf } from "../../../src/routing/measure.ts";
import { placeNeeds, ruleSubnets } from "../../../src/routing/policy.ts";
import type { RoutingTable } from "../../../src/routing/table.ts";
import type { UdpClient } from "../dns-client.ts";
import { writeMmdb } from "../mmdb-writer.ts";

const CENTROIDS = loadCentroids();
const COUNTRIES = [...CENTROIDS].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, 256);

/** Of the AS numbers of half of all IPv4 networks; of the others none is known. */
export const ASNS = [64_500, 64_501, 64_502] as const;

/** Country n has 20.n.0.0/16 and 2001:db8:n::/48; 21.0.0.0/8 is in no file. Of some in the US the state is known. */
export const WORLD_FILE: Buffer = withStrictMetadata(
  writeMmdb(
    COUNTRIES.flatMap(([country, { continent }], n) => {
      const record = { country: { iso_code: country }, continent: { code: continent } };
      const part = (code: string) => ({ ...record, subdivisions: [{ iso_code: code }] });
      return [
        { network: `20.${n}.0.0/17`, record },
        ...(country === "US"
          ? [
              { network: `20.${n}.32.0/19`, record: part("CA") },
              { network: `20.${n}.64.0/18`, record: part("WA") },
            ]
          : []),
        { network: `20.${n}.128.0/17`, record: { ...record, autonomous_system_number: ASNS[n % ASNS.length]! } },
        { network: `2001:db8:${n.toString(16)}::/48`, record },
      ];
    }),
    { recordSize: 24 },
  ),
);

/** The same file with numbers of the widths that the format names, on which libmaxminddb insists. @param file of 24-bit records for IPv6 */
function withStrictMetadata(file: Buffer): Buffer {
  const marker = Buffer.from("\xab\xcd\xefMaxMind.com", "latin1");
  const end = file.lastIndexOf(marker) + marker.length;
  const name = file.lastIndexOf("node_count");
  const nodes = file.subarray(name + "node_count".length, name + "node_count".length + 5); // its control byte, and 32 bits
  const text = (value: string): Buffer => Buffer.concat([Buffer.of(0x40 | value.length), Buffer.from(value)]);
  const short = (value: number): Buffer => Buffer.of(0xa2, value >> 8, value & 255);
  const epoch = Buffer.of(8, 2, ...[0, 0, 0, 0], ...[0x69, 0x55, 0xb9, 0x00]); // 64 bits: the first of January 2026
  const fields: readonly (readonly [string, Buffer])[] = [
    ["binary_format_major_version", short(2)],
    ["binary_format_minor_version", short(0)],
    ["build_epoch", epoch],
    ["database_type", text("Test")],
    ["description", Buffer.concat([Buffer.of(0xe1), text("en"), text("a test")])],
    ["ip_version", short(6)],
    ["languages", Buffer.concat([Buffer.of(1, 4), text("en")])],
    ["node_count", nodes],
    ["record_size", short(24)],
  ];
  return Buffer.concat([file.subarray(0, end), Buffer.of(0xe0 | fields.length), ...fields.flatMap(([key, value]) => [text(key), value])]);
}

/** As the engine compiles it; every endpoint is Unknown. */
export function compileWorld(inventory: Inventory, file: Buffer = WORLD_FILE): RoutingTable {
  const geo = buildGeoTable({
    trees: [openMmdb(file, "world.mmdb")],
    subnets: ruleSubnets(inventory).map((text) => parseNetwork(text)!),
    needs: placeNeeds(inventory),
    centroids: CENTROIDS,
  });
  return compile(inventory, geo, measuresOf(inventory.clusters, newLatencyMap()), { version: 1, builtAt: 0, scopeBudget: 1 << 26 }).table;
}

/** Somebody anywhere: mostly in a country by IPv4, at times by IPv6, at times in no file. @param random [0, 1) */
export function randomClient(random: () => number): Network {
  const below = (bound: number): number => Math.floor(random() * bound);
  const kind = random();
  if (kind < 0.1) return subnet(`21.${below(256)}.${below(256)}.0`, 24);
  if (kind < 0.3) return subnet(`2001:db8:${below(COUNTRIES.length).toString(16)}:${below(256).toString(16)}00::`, 56);
  return subnet(`20.${below(COUNTRIES.length)}.${below(256)}.0`, 24);
}

export const subnet = (address: string, length: number): Network => maskNetwork(parseIp(address)!, length);

/** A client in a country of the world. */
export const clientIn = (country: string, third = 0): Network =>
  subnet(`20.${COUNTRIES.findIndex(([code]) => code === country)}.${third}.0`, 24);

export interface EcsAnswer {
  readonly rcode: number;
  /** Sorted. */
  readonly addresses: readonly string[];
  /** Seconds; undefined without an answer. */
  readonly ttl: number | undefined;
  /** SCOPE PREFIX-LENGTH; undefined when the server said nothing of it. */
  readonly scope: number | undefined;
}

let id = 0;

/** Asks as a resolver does for a client. */
export async function askFor(server: UdpClient, name: string, type: "A" | "AAAA", client: Network): Promise<EcsAnswer> {
  id = (id + 1) & 0xffff;
  const { family, bytes: address, length: source } = client;
  const query = encodeQuery({ id, name, type: Type[type], edns: { clientSubnet: { family, address, source } } });
  const answer = decodeMessage(await server.ask(query))!;
  const found = answer.answers.filter((record) => record.type === Type[type]);
  return {
    rcode: answer.rcode,
    addresses: found.map(({ data }) => data).sort(),
    ttl: found[0]?.ttl,
    scope: answer.edns?.clientSubnet?.scope,
  };
}
