/** The world of `dns-world.ts` with its zones signed, as the zone worker would have it, built on the calling thread. */
import { lowerCased } from "../../src/dns/dnssec/canonical.ts";
import { encodeDs } from "../../src/dns/dnssec/ds.ts";
import { encodeDnskey, type SigningKey } from "../../src/dns/dnssec/zone-key.ts";
import { createZoneSigner, type ZoneSigner } from "../../src/dns/dnssec/zone-signer.ts";
import { createPinning } from "../../src/dns/slow/pinned-signatures.ts";
import type { SlowSecrets } from "../../src/dns/slow/slow-link.ts";
import { encodeName } from "../../src/dns/wire/name.ts";
import { buildZoneTable, type ServingTables } from "../../src/dns/zone-table.ts";
import type { Route, Zone } from "../../src/model/inventory.ts";
import { dnsWorld, ROUTES, record, SERIAL, ZONES } from "./dns-world.ts";
import { newSigningKey } from "./zone-keys.ts";

export interface SignedWorld {
  readonly tables: ServingTables;
  readonly secrets: SlowSecrets;
  /** Domain → RDATA of its DNSKEY. */
  readonly dnskey: ReadonlyMap<string, Uint8Array>;
}

const apexOf = (domain: string): Uint8Array => lowerCased(encodeName(domain)!);

/** Presentation form of the DS of a key. */
function dsText(domain: string, key: SigningKey): string {
  const rdata = encodeDs(apexOf(domain), key);
  return `${(rdata[0]! << 8) | rdata[1]!} ${rdata[2]} ${rdata[3]} ${Buffer.from(rdata.subarray(4)).toString("hex")}`;
}

/** Zones and keys of a signed world: `example.org` with a secure and an insecure delegation, and `inner.example.org`, of which it knows the DS. */
export function signedZones(): { readonly zones: readonly Zone[]; readonly keys: ReadonlyMap<string, SigningKey> } {
  const keys = new Map(["example.org", "inner.example.org"].map((domain) => [domain, newSigningKey()]));
  const child = newSigningKey();
  const zones = ZONES.map((zone) =>
    zone.domain !== "example.org"
      ? zone
      : {
          ...zone,
          records: [
            ...zone.records,
            record("inner.example.org", "DS", dsText("inner.example.org", keys.get("inner.example.org")!)),
            record("secure.example.org", "NS", "ns.example.net."),
            record("secure.example.org", "DS", dsText("secure.example.org", child)),
          ],
        },
  );
  return { zones, keys };
}

/**
 * @param now  seconds since the epoch at which everything is signed
 * @param most how many RRsets of routes are signed beforehand
 */
export function signedWorld(now: number, most = Number.POSITIVE_INFINITY, routes: readonly Route[] = ROUTES): SignedWorld {
  const { zones, keys } = signedZones();
  const { routing } = dnsWorld(ZONES, routes);
  const signers = new Map<string, ZoneSigner>(
    [...keys].map(([domain, key]) => [domain, createZoneSigner({ apex: apexOf(domain), key, otherKeys: [], delegation: "Secure", now })]),
  );
  const { zones: table, problems } = buildZoneTable(zones, routing, () => SERIAL, signers);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  const secrets = table.domains.map((domain) => {
    const key = keys.get(domain);
    return key === undefined ? undefined : { key, apex: apexOf(domain) };
  });
  const zoneHashKey = secrets.map((_, zone) => Int32Array.of(zone, 1, 2, 3));
  const pinning = createPinning({
    zones: table,
    hot: routing.hot,
    state: routing.state,
    zoneHashKey,
    secrets,
    earlier: undefined,
  });
  pinning.sign(most, now);
  return {
    tables: { routing, zones: table, signing: pinning.signing },
    secrets: { zoneKeys: secrets.map((secret) => secret?.key), tsigKeys: [] },
    dnskey: new Map([...keys].map(([domain, key]) => [domain, encodeDnskey(key)])),
  };
}
