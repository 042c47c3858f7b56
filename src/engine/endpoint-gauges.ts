/**
 * Which endpoints are healthy, for the metrics. There may be tens of thousands, so they are not all asked at each scrape: they are when there are
 * other endpoints than before, and from then on whoever sees their health change says so.
 */
import type { Endpoint, EndpointHealth, EndpointKey } from "../model/health.ts";
import { formatListenAddress } from "../model/listen-address.ts";
import type { EndpointReadings } from "../observe/metric-readings.ts";

export interface EndpointGauges {
  /** This is its health from now on. */
  changed(key: EndpointKey, health: EndpointHealth): void;
  /** One for each address of a cluster: it may be probed in several ways, and is as good as the worst of them. */
  read(): EndpointReadings;
}

type Endpoints = ReadonlyMap<EndpointKey, Endpoint>;

/** All that is known of one set of endpoints. */
interface Known {
  readonly of: Endpoints;
  /** Where each is in the reading. */
  readonly places: ReadonlyMap<EndpointKey, number>;
  /** Those that are not Healthy, and how many they are at each place. */
  readonly ailing: Set<EndpointKey>;
  readonly ailingAt: Uint32Array;
  readonly reading: EndpointReadings;
}

/**
 * @param endpoints the same map (===) while there are the same endpoints
 * @param healthOf  asked once for each of them
 */
export function createEndpointGauges(endpoints: () => Endpoints, healthOf: (key: EndpointKey) => EndpointHealth): EndpointGauges {
  let known: Known | undefined;

  function note({ places, ailing, ailingAt, reading }: Known, key: EndpointKey, { health }: EndpointHealth): void {
    const place = places.get(key);
    const isAiling = health !== "Healthy";
    if (place === undefined || isAiling === ailing.has(key)) return;
    if (isAiling) ailing.add(key);
    else ailing.delete(key);
    ailingAt[place]! += isAiling ? 1 : -1;
    reading.healthy[place] = ailingAt[place] === 0 ? 1 : 0;
  }

  function learn(of: Endpoints): Known {
    const { labels, places } = placesOf(of);
    const reading = { labels, healthy: new Uint8Array(labels.length).fill(1) };
    const learned = { of, places, ailing: new Set<EndpointKey>(), ailingAt: new Uint32Array(labels.length), reading };
    for (const key of of.keys()) note(learned, key, healthOf(key));
    return learned;
  }

  return {
    changed(key, health) {
      if (known !== undefined) note(known, key, health);
    },
    read() {
      const now = endpoints();
      if (known?.of !== now) known = learn(now);
      return known.reading;
    },
  };
}

function placesOf(endpoints: Endpoints): { readonly labels: EndpointReadings["labels"]; readonly places: Known["places"] } {
  const labels: EndpointReadings["labels"][number][] = [];
  const named = new Map<string, number>();
  const places = new Map<EndpointKey, number>();
  for (const [key, { cluster, address: host, probe }] of endpoints) {
    const address = formatListenAddress({ address: host, port: probe.port });
    const name = `${cluster}\n${address}`;
    const place = named.get(name) ?? labels.push({ cluster, address }) - 1;
    named.set(name, place);
    places.set(key, place);
  }
  return { labels, places };
}
