import { expect, test } from "vitest";
import { NODATA, REFUSED, record, reply, soa, TIMEOUT, ZONE } from "../../../test/support/zone-observations.ts";
import { Type } from "../wire/codes.ts";
import type { Ask } from "./ask.ts";
import { lookAtServers } from "./look-at-servers.ts";
import type { Reply } from "./observations.ts";

const at = (name: string, address: string) => ({ name, server: { address, port: 53 } });
const KEYS = reply({ answers: [record(ZONE, Type.DNSKEY, "257 3 13 AAAA")] });

/** @param soaOf what each address says to SOA */
const asking =
  (soaOf: Readonly<Record<string, Reply>>, asked: string[] = []): Ask =>
  async ({ address }, { type, edns }) => {
    asked.push(`${address} ${type}${edns?.dnssecOk === true ? " DO" : ""}`);
    return type === Type.DNSKEY ? KEYS : (soaOf[address] ?? TIMEOUT);
  };

test("servers of the zone are asked for their keys, others for nothing more, and what is wrong is told of each", async () => {
  const asked: string[] = [];
  const ask = asking({ "192.0.2.1": soa(7), "192.0.2.2": REFUSED, "192.0.2.3": NODATA }, asked);
  const servers = [1, 2, 3, 4].map((i) => at(`ns${i}.example.org`, `192.0.2.${i}`));
  expect(await lookAtServers(ZONE, servers, ask, 2000)).toEqual([
    { name: "ns1.example.org", signed: { dnskey: KEYS, signedSoa: soa(7) } },
    { name: "ns2.example.org", trouble: "ns2.example.org (192.0.2.2) does not serve example.org (REFUSED)" },
    { name: "ns3.example.org", trouble: "ns3.example.org (192.0.2.3) does not serve example.org (no SOA in its answer)" },
    { name: "ns4.example.org", trouble: "ns4.example.org (192.0.2.4) did not answer within 2 s" },
  ]);
  expect(asked.filter((one) => one.endsWith(" DO"))).toEqual([`192.0.2.1 ${Type.DNSKEY} DO`, `192.0.2.1 ${Type.SOA} DO`]);
});
