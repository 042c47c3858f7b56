/** What a server of PowerDNS needs before LUA records do there what they say. Pure. */
import { MAX_STEPS } from "./lua-script.ts";

export interface SetupFault {
  /** Records would be answered wrongly, or not at all: none may be written. */
  readonly isFatal: boolean;
  readonly fact: string;
  readonly remedy: string;
}

/** Settings by name, as `GET /servers/ID/config` tells them. @param value parsed JSON @returns undefined when it is no such answer */
export function readSettings(value: unknown): ReadonlyMap<string, string> | undefined {
  if (!Array.isArray(value)) return undefined;
  return new Map(
    value.flatMap((entry: unknown) => {
      const { name, value: setting } = (typeof entry === "object" && entry !== null ? entry : {}) as Readonly<Record<string, unknown>>;
      return typeof name === "string" && typeof setting === "string" ? [[name, setting] as const] : [];
    }),
  );
}

export interface LuaNeeds {
  /** The operator says that the zone has the metadata ENABLE-LUA-RECORDS, which the API neither shows nor sets. */
  readonly isEnabledInZone: boolean;
  /** Some record asks where its client is. */
  readonly isGeographic: boolean;
}

/** @param settings those that a server does not tell are taken to be right */
export function luaFaults(settings: ReadonlyMap<string, string>, domain: string, needs: LuaNeeds): readonly SetupFault[] {
  const is = (name: string, ...values: readonly string[]): boolean => values.includes(settings.get(name)?.trim().toLowerCase() ?? "?");
  const has = (name: string): boolean => settings.get(name) !== "";
  const launched = settings.get("launch")?.split(",");
  const limit = Number(settings.get("lua-records-exec-limit") ?? 0);
  const isWithoutGeoip = launched?.every((backend) => backend.trim().split(":")[0] !== "geoip") === true;
  const faults: readonly (SetupFault & { readonly isThere: boolean })[] = [
    {
      isThere: is("enable-lua-records", "no", "") && !needs.isEnabledInZone,
      isFatal: true, // the name would have no address
      fact: "it does not answer with LUA records",
      remedy: `Set enable-lua-records=yes; or run pdnsutil set-meta ${domain} ENABLE-LUA-RECORDS 1 and say so in the DNSZone, as the API does not show it.`,
    },
    {
      isThere: needs.isGeographic && isWithoutGeoip,
      isFatal: true, // every client would be one of unknown place
      fact: "it does not know where clients are",
      remedy: "Add geoip to launch, and name the mmdb files that GlobalRoute reads in geoip-database-files.",
    },
    {
      isThere: needs.isGeographic && !isWithoutGeoip && !has("geoip-database-files"),
      isFatal: true,
      fact: "it has no geo data",
      remedy: "Name the mmdb files that GlobalRoute reads in geoip-database-files.",
    },
    {
      isThere: limit > 0 && limit < MAX_STEPS,
      isFatal: true, // SERVFAIL
      fact: `it ends the script of a LUA record after ${limit} steps`,
      remedy: "Set lua-records-exec-limit to 1000, which is its default.",
    },
    {
      isThere: needs.isGeographic && is("edns-subnet-processing", "no", ""),
      isFatal: false, // as without ECS: the resolver's place
      fact: "it takes a client's resolver for the client",
      remedy: "Set edns-subnet-processing=yes.",
    },
  ];
  return faults.filter(({ isThere }) => isThere).map(({ isThere: _, ...fault }) => fault);
}
