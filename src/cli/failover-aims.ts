/** Whom to ask whether a failover has arrived, for what, and what is to be in the answer. Pure. */
import type { Question } from "../dns/check/ask.ts";
import { serverLabel } from "../dns/check/read-reply.ts";
import type { Lookout } from "../dns/watch/answer-watch.ts";
import { Type } from "../dns/wire/codes.ts";
import type { FailoverNotice } from "../engine/failover-notice.ts";
import { type Backend, type Override, type Route, routeKey, type Zone } from "../model/inventory.ts";
import { parseIp } from "../model/ip.ts";
import type { ListenAddress } from "../model/listen-address.ts";
import { reaches } from "../routing/orders.ts";
import type { SampleNetwork } from "../routing/sample-client.ts";
import type { Hearing } from "./concerned.ts";
import { firstHostHere, firstHostIn } from "./published-hosts.ts";

/** Who answers users, and the name to ask for there. `via` is its name in events: `self`, `zone DOMAIN`, `resolver ADDRESS`. */
export interface Via {
  readonly via: string;
  readonly server: ListenAddress;
  readonly host: string;
}

export interface Aim extends Via, Pick<Lookout, "addresses" | "until"> {
  readonly family: 4 | 6;
  /** Where to say that clients are; as anybody if absent. */
  readonly network?: SampleNetwork;
}

export const questionOf = ({ via, host, family, network }: Aim): Question => ({
  name: host.replace(/^\*/, "globalroute-watch"),
  type: family === 4 ? Type.A : Type.AAAA,
  recursionDesired: via.startsWith("resolver "),
  edns: network === undefined ? {} : { clientSubnet: { ...network, source: network.length } },
});

export const resolverVias = (resolvers: readonly ListenAddress[], host: string): readonly Via[] =>
  resolvers.map((server) => ({ via: `resolver ${serverLabel({ name: "", server })}`, server, host }));

/** The server that is asked for a zone elsewhere, as far as its objects name one by address. */
export function zoneVias({ domain, provider }: Zone, host: string): readonly Via[] {
  if (provider?.type !== "RFC2136" || parseIp(provider.server.host) === undefined) return [];
  return [{ via: `zone ${domain}`, server: { address: provider.server.host, port: provider.server.port }, host }];
}

/** Everybody but our own server, as a failover of the route would ask them. */
export function viasOf(route: Route, byDomain: ReadonlyMap<string, Zone>, resolvers: readonly ListenAddress[]): readonly Via[] {
  const here = firstHostHere(byDomain)(route);
  const elsewhere = [...byDomain.values()].filter(({ provider }) => provider !== undefined);
  const all = [
    ...(here === undefined ? [] : resolverVias(resolvers, here)),
    ...elsewhere.flatMap((zone) => {
      const host = firstHostIn(zone, byDomain)(route);
      return host === undefined ? [] : [...zoneVias(zone, host), ...resolverVias(resolvers, host)];
    }),
  ];
  return all.filter(({ via }, i) => all.findIndex((one) => one.via === via) === i);
}

/**
 * What resolvers and other servers answer depends on where they are. So a withdrawal is looked for there when it concerns everybody, and a
 * return where the backend was answered before.
 *
 * @param wasHeard whether it was
 */
export function foreignAims(notice: FailoverNotice, vias: readonly Via[], wasHeard: (hearing: Hearing) => boolean): readonly Aim[] {
  const { route, sample, backend, returned } = notice;
  if (returned.length === 0) {
    if (sample?.isForAll !== true) return [];
    return vias.map((via) => ({ ...via, family: sample.family, addresses: sample.gone, until: "Absent" }));
  }
  const own = route.backends.find(({ name }) => name === backend);
  if (own === undefined) return [];
  return vias.flatMap((via): readonly Aim[] => {
    const family = returned.find((one) => wasHeard({ route: routeKey(route), backend, family: one, via: via.via }));
    return family === undefined ? [] : [{ ...via, family, addresses: addressesOf(own, family), until: "Present" }];
  });
}

/** One question to each of `vias` for each backend of the route that a drill is about: is it what they answer? */
export function drillAims(drill: Override, route: Route, vias: readonly Via[]): readonly (Aim & { readonly backend: string })[] {
  return route.backends
    .filter((backend) => reaches(drill, route, backend))
    .flatMap((backend) => {
      const family = addressesOf(backend, 4).length > 0 ? 4 : 6;
      const addresses = addressesOf(backend, family);
      return vias.map((via) => ({ ...via, family, addresses, until: "Present", backend: backend.name }) as const);
    });
}

const addressesOf = ({ addresses }: Backend, family: 4 | 6): readonly string[] =>
  addresses.filter((address) => address.includes(":") === (family === 6));
