/** The demo without a terminal: what runs where at the start, then one line for each thing that happens. */
import type { TimelineEvent } from "../../observe/timeline.ts";
import { clock } from "../text.ts";
import type { RunningSite } from "./supervisor.ts";
import { ZONE } from "./world.ts";

export interface Opening {
  readonly sites: readonly RunningSite[];
  /** Address and port of each DNS listener, the one to try first. */
  readonly dns: readonly { readonly address: string; readonly port: number }[];
  readonly admin: string;
  /** URL at which requests are passed on. */
  readonly proxy: string;
  /** The watched folder. */
  readonly config: string;
  /** How this program was called, for commands to try. */
  readonly self: string;
}

/** @returns one line for each site (`eu-west  127.0.10.1:8080  pid 4711  Dublin`), then the listeners, then commands to try */
export function openingLines({ sites, dns, admin, proxy, config, self }: Opening): readonly string[] {
  const [first] = dns;
  const dig = (network: string, host: string): string =>
    `dig @${first?.address} -p ${first?.port} +short +subnet=${network} ${host}.${ZONE} A`;
  return [
    ...sites.map((site) => siteLine(site)),
    "",
    `DNS      ${dns.map(({ address, port }) => (address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`)).join("  ")}`,
    `HTTP     ${proxy}`,
    `admin    ${admin}`,
    `objects  ${config}`,
    "",
    "Try in another shell:",
    `  ${dig("91.64.0.0/16", "shop")}    # a client in Germany`,
    `  ${dig("200.147.0.0/16", "app")}   # one in Brazil, by weight`,
    `  ${dig("91.64.0.0/16", "eu")}      # one who must stay in the EU`,
    `  curl -H 'Host: shop.${ZONE}' -H 'X-Forwarded-For: 91.64.0.1' ${proxy}/    # the first one by HTTP`,
    `  ${self} demo down eu-west         # then ask again`,
    "",
  ];
}

export const siteLine = (site: RunningSite): string =>
  `${site.name.padEnd(13)} ${`${site.address}:${site.port}`.padEnd(16)} ${site.pid === undefined ? "down" : `pid ${site.pid}`}  ${site.place}`;

/** `12:00:01 Failover GlobalRoute default/shop: eu-west → us-east …`. */
export const eventLine = (event: TimelineEvent): string => `${clock(event.at)} ${event.kind} ${event.object}: ${event.message}`;
