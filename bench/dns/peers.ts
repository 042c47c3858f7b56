/** The peers of `bench/dns.ts`, each configured to give the answers that our server gives. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Contender, findProgram } from "./contender.ts";
import { DATACENTERS, datacenterOf, MANY_NAMES, ONE_NAME, preference, RULES, TTL, ZONE } from "./steering.ts";

const NAMES = [ONE_NAME, ...MANY_NAMES];
const DEFAULT = DATACENTERS[0]!;
const CONTINENTS = ["AF", "AN", "AS", "EU", "NA", "OC", "SA"];
/** Countries that another datacenter serves than the rest of their continent. */
const EXCEPTIONS = RULES.flatMap(({ countries }) => countries);

/** A zone file in which every name has one address. */
const zoneFile = (names: readonly string[]): string =>
  [
    `$TTL ${TTL}`,
    `$ORIGIN ${ZONE}.`,
    "@ SOA ns1 hostmaster 1 3600 600 86400 60",
    "@ NS ns1",
    "ns1 A 127.0.0.1",
    ...names.map((name) => `${name}. A ${DEFAULT.address}`),
    "",
  ].join("\n");

/** They probe nothing: they are ready when they answer. */
const isReady = async (): Promise<boolean> => true;

/** gdnsd with plugin_geoip: ordered datacenters for continents and countries. */
const gdnsd: Contender = {
  name: "gdnsd",
  isGeo: true,
  program: () => findProgram("gdnsd"),
  isReady,
  configure({ databaseFile, countries }, folder, port) {
    for (const sub of ["zones", "run", "state"]) mkdirSync(join(folder, sub));
    const list = (datacenters: readonly { readonly name: string }[]): string => `[${datacenters.map(({ name }) => name).join(",")}]`;
    const continents = CONTINENTS.map((continent) => {
      const others = countries.filter((country) => country.continent === continent && EXCEPTIONS.includes(country.code));
      const entries = [{ code: "default", continent }, ...others].map(
        (country) => `${country.code} => ${list(preference(datacenterOf(country)))}`,
      );
      return `${continent} => { ${entries.join(", ")} }`;
    });
    writeFileSync(
      join(folder, "config"),
      `options => { run_dir => ${folder}/run, state_dir => ${folder}/state, listen => 127.0.0.1:${port}, udp_threads => 1, tcp_threads => 1 }
plugins => { geoip => {
  maps => { world => { geoip2_db => ${databaseFile}, datacenters => ${list(DATACENTERS)}, map => {
    ${continents.join("\n    ")}
  } } }
  resources => { all => { map => world, service_types => up, dcmap => {
    ${DATACENTERS.map(({ name, address }) => `${name} => ${address}`).join(", ")}
  } } }
} }
`,
    );
    const dynamic = NAMES.map((name) => `${name}. ${TTL} DYNA geoip!all`);
    writeFileSync(join(folder, "zones", ZONE), `${zoneFile([])}${dynamic.join("\n")}\n`);
    return ["-c", folder, "start"];
  },
};

/** Knot with mod-geoip: one list of places and addresses for every name; `*` is the rest of a continent. */
const knot: Contender = {
  name: "knot",
  isGeo: true,
  program: () => findProgram("knotd"),
  isReady,
  configure({ databaseFile, countries }, folder, port) {
    mkdirSync(join(folder, "db"));
    const places = [
      ...CONTINENTS.map((continent) => ({ geo: `${continent};*`, to: datacenterOf({ code: "default", continent }) })),
      ...countries
        .filter(({ code }) => EXCEPTIONS.includes(code))
        .map((country) => ({ geo: `${country.continent};${country.code}`, to: datacenterOf(country) })),
    ];
    const list = places.map(({ geo, to }) => `  - geo: "${geo}"\n    A: ${to.address}\n`).join("");
    writeFileSync(join(folder, "geo.conf"), NAMES.map((name) => `${name}:\n${list}`).join(""));
    writeFileSync(join(folder, "zone"), zoneFile(NAMES));
    writeFileSync(
      join(folder, "knot.conf"),
      `server:
  listen: 127.0.0.1@${port}
  rundir: ${folder}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  edns-client-subnet: on
log:
 - target: stderr
   any: warning
database:
  storage: ${folder}/db
mod-geoip:
 - id: world
   config-file: ${folder}/geo.conf
   ttl: ${TTL}
   mode: geodb
   geodb-file: ${databaseFile}
   geodb-key: [ continent/code, country/iso_code ]
zone:
 - domain: ${ZONE}
   file: ${folder}/zone
   module: mod-geoip/world
   zonefile-sync: -1
`,
    );
    return ["-c", join(folder, "knot.conf")];
  },
};

/** PowerDNS with the geoip backend: every name is a service, whose answer is looked up by the client's country. */
const powerdns: Contender = {
  name: "powerdns",
  isGeo: true,
  program: () => findProgram("pdns_server"),
  isReady,
  configure({ databaseFile, countries }, folder, port) {
    const record = (name: string, address: string): string => `    ${name}.by-country.${ZONE}:\n      - a: ${address}\n`;
    writeFileSync(
      join(folder, "geo.yaml"),
      `domains:
- domain: ${ZONE}
  ttl: ${TTL}
  records:
    ${ZONE}:
      - soa: ns1.${ZONE} hostmaster.${ZONE} 1 3600 600 86400 60
      - ns: ns1.${ZONE}
    ns1.${ZONE}:
      - a: 127.0.0.1
${countries.map((country) => record(country.code.toLowerCase(), datacenterOf(country).address)).join("")}${record("unknown", DEFAULT.address)}  services:
${NAMES.map((name) => `    ${name}: [ '%cc.by-country.${ZONE}', 'unknown.by-country.${ZONE}' ]\n`).join("")}`,
    );
    writeFileSync(
      join(folder, "pdns.conf"),
      `launch=geoip
local-address=127.0.0.1:${port}
socket-dir=${folder}
geoip-database-files=mmdb:${databaseFile}
geoip-zones-file=${folder}/geo.yaml
edns-subnet-processing=yes
receiver-threads=1
distributor-threads=1
log-dns-queries=no
loglevel=3
disable-syslog=yes
guardian=no
daemon=no
webserver=no
expand-alias=no
zone-cache-refresh-interval=0
`,
    );
    return [`--config-dir=${folder}`];
  },
};

/** BIND without geo data, as the reference: the same names with one address each. */
const bind: Contender = {
  name: "bind",
  isGeo: false,
  program: () => findProgram("named"),
  isReady,
  configure(_world, folder, port) {
    writeFileSync(join(folder, "zone"), zoneFile(NAMES));
    writeFileSync(
      join(folder, "named.conf"),
      `options {
  directory "${folder}"; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; }; pid-file "${folder}/named.pid"; session-keyfile none;
  managed-keys-directory "${folder}"; recursion no; dnssec-validation no; minimal-responses yes; notify no;
};
controls { };
zone "${ZONE}" { type primary; file "${folder}/zone"; };
`,
    );
    return ["-g", "-n", "1", "-c", join(folder, "named.conf")];
  },
};

export const PEERS: readonly Contender[] = [gdnsd, knot, powerdns, bind];

/** What installs all of them, for whoever misses one. */
export const INSTALL_PEERS = "npm run components -- dns-servers";
