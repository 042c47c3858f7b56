/** A hosted zone of the Route 53 emulator, and our provider before it. */
import { createHash, randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { Route53Client } from "@aws-sdk/client-route-53";
import type { Provider } from "../../../dns-providers/provider.ts";
import type { RecordSet } from "../../../dns-providers/record-set.ts";
import { createRequestLane } from "../../../dns-providers/route53/request-lane.ts";
import { createRoute53Provider, type Route53Options } from "../../../dns-providers/route53/route53-provider.ts";
import type { RecordSet as StoredSet } from "./route53/record-set.ts";
import { EMULATOR_CREDENTIAL, type Route53Emulator } from "./route53/server.ts";

export const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

export function route53Client(url: string, credentials = EMULATOR_CREDENTIAL): Route53Client {
  return new Route53Client({ region: "us-east-1", endpoint: url, credentials, maxAttempts: 1 });
}

/** As the SDK hands it to what sends it. */
interface ClientRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** As {@link route53Client}, but for wire and signatures: for thousands of requests that are not about them. */
export function wirelessRoute53Client(emulator: Route53Emulator): Route53Client {
  return new Route53Client({
    ...{ region: "us-east-1", endpoint: emulator.url, credentials: EMULATOR_CREDENTIAL, maxAttempts: 1 },
    signer: { sign: async (request) => request },
    requestHandler: {
      async handle({ method, path, query, headers, body }: ClientRequest) {
        const told = Object.entries(query ?? {}).map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(String(value))}`);
        const target = told.length === 0 ? path : `${path}?${told.join("&")}`;
        const answer = await emulator.exchange({ method, target, headers, body: Buffer.from(body ?? "") });
        if (answer === undefined) throw new Error("socket hang up");
        const lowerCase = Object.entries(answer.headers).map(([name, value]) => [name.toLowerCase(), value] as const);
        return {
          response: { statusCode: answer.status, headers: Object.fromEntries(lowerCase), body: new TextEncoder().encode(answer.document) },
        };
      },
    },
  });
}

/** @param client of the emulator, or what stands before it */
export function route53ProviderOf(
  client: Pick<Route53Client, "send">,
  hostedZoneId: string | undefined,
  more: Partial<Route53Options> = {},
): Provider {
  const now = (): number => performance.now();
  const setTimer = (milliseconds: number, callback: () => void) => {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  };
  return createRoute53Provider({
    ...{ client, lane: createRequestLane({ now, setTimer }), domain: "example.org", owner: "prod-eu", isPrivate: false },
    ...(hostedZoneId === undefined ? {} : { hostedZoneId }),
    ...{ digest: hashOf, nonce: () => randomBytes(4).toString("hex"), now },
    sleep: (milliseconds, signal) => pause(milliseconds, undefined, { signal }),
    ...more,
  });
}

/** A lane that lets everything pass at once, where the pace is not what a test is about. */
export const FREE_LANE: Route53Options["lane"] = { enter: async (_, __, signal) => signal.throwIfAborted(), tooFast: () => {} };

/** As the emulator keeps names. */
const stored = (name: string): string => `${name.replaceAll("*", "\\052")}.`;

/** A set without a routing policy; undefined when there is none. */
export function storedSet(emulator: Route53Emulator, zoneId: string, name: string, type: string): RecordSet | undefined {
  const found = emulator.zone(zoneId)?.sets.find((set) => set.name.replace(/\.?$/, ".") === stored(name) && set.type === type);
  if (found === undefined || found.content.kind !== "Values") return undefined;
  return { name, type, ttl: found.content.ttl, values: found.content.values };
}

/** Somebody else puts a set there. */
export function putStored(emulator: Route53Emulator, zoneId: string, { name, type, ttl, values }: RecordSet): void {
  const set: StoredSet = {
    name: `${name}.`,
    type: type as StoredSet["type"],
    policy: { kind: "Simple" },
    content: { kind: "Values", ttl, values },
  };
  emulator.interfere(zoneId, [{ action: "UPSERT", set }]);
}
