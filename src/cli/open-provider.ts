/** From what a DNSZone says of its provider to one that can be written to. */
import { createHash, randomBytes, randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { Route53Client } from "@aws-sdk/client-route-53";
import { fromTemporaryCredentials } from "@aws-sdk/credential-providers";
import { Reader } from "maxmind";
import { createDnsEndpointProvider } from "../../dns-providers/dnsendpoint/dnsendpoint-provider.ts";
import { toProviderNews } from "../../dns-providers/dnsendpoint/news-in-words.ts";
import type { ObjectApi } from "../../dns-providers/dnsendpoint/object-api.ts";
import { exchangeOverHttp } from "../../dns-providers/powerdns/http-exchange.ts";
import { createPowerDnsProvider } from "../../dns-providers/powerdns/powerdns-provider.ts";
import { type Provider, ProviderError, type ProviderNews } from "../../dns-providers/provider.ts";
import { createRfc2136Provider } from "../../dns-providers/rfc2136/rfc2136-provider.ts";
import { exchangeOverTcp } from "../../dns-providers/rfc2136/tcp-exchange.ts";
import { createRequestLane, type RequestLane } from "../../dns-providers/route53/request-lane.ts";
import { createRoute53Provider } from "../../dns-providers/route53/route53-provider.ts";
import { readSecretFile } from "../dns/secret-file.ts";
import { readTsigKey } from "../dns/transfer/key-file.ts";
import type { ExternalDnsZone, PowerDnsZone, Rfc2136Zone, Route53Zone } from "../model/inventory.ts";
import type { ProvidedZone } from "./provider-publisher.ts";

export interface ProviderOpenerOptions {
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly setTimer: (milliseconds: number, callback: () => void) => () => void;
  /** Paths of the mmdb files that decisions are made by; none: the one that comes with us. */
  readonly geoFiles?: readonly string[];
  /** The API server that has our objects; absent where they are files. */
  readonly dnsEndpoints?: ObjectApi;
  /** Changes of a zone have reached all servers of its provider so many milliseconds after they were accepted. */
  readonly onPropagated: (domain: string, milliseconds: number) => void;
}

/**
 * @param onNews of what the provider notices by itself; without it nothing is looked for
 * @throws ProviderError when a provider cannot even be tried, as without its key
 */
export type OpenProvider = (zone: ProvidedZone, onNews?: (news: ProviderNews) => void) => Provider;

export function createProviderOpener(options: ProviderOpenerOptions): OpenProvider {
  /** By role: what one identity may ask for is shared by its zones. */
  const lanes = new Map<string, RequestLane>();
  return (zone, onNews) => {
    const { provider } = zone;
    switch (provider.type) {
      case "RFC2136":
        return openRfc2136(zone.domain, provider, options.wallClock);
      case "PowerDNS":
        return openPowerDns(zone.domain, provider, options.geoFiles ?? []);
      case "Route53": {
        const account = provider.role?.arn ?? "";
        const lane = lanes.get(account) ?? createRequestLane(options);
        lanes.set(account, lane);
        return openRoute53(zone, provider, lane, options);
      }
      case "ExternalDNS":
        return openExternalDns(zone, provider, options, onNews);
    }
  };
}

function openRfc2136(domain: string, { server, key: entry }: Rfc2136Zone, wallClock: () => number): Provider {
  const file = readTsigKey(entry);
  if ("fault" in file)
    throw new ProviderError(
      "unauthorized",
      `rfc2136 ${server.host}:${server.port} ${domain}`,
      `${entry.path} ${file.fault.message}`,
      file.fault.remedy,
    );
  return createRfc2136Provider({
    server,
    domain,
    key: file.key,
    exchange: exchangeOverTcp,
    wallClock,
    randomId: () => randomInt(0x1_0000),
  });
}

function openPowerDns(domain: string, zone: PowerDnsZone, geoFiles: readonly string[]): Provider {
  const { server, serverId, keyPath, caPath, answers, luaEnabledBy } = zone;
  const refuse = (fact: string, remedy: string): ProviderError =>
    new ProviderError("unauthorized", `powerdns ${server} ${domain}`, fact, remedy);
  const read = (path: string): string => {
    const file = readSecretFile(path);
    if ("fault" in file) throw refuse(`${path} ${file.fault.message}`, file.fault.remedy);
    return file.text.trim();
  };
  if (answers === "Lua" && (geoFiles.length === 0 || geoFiles.some(isFlat)))
    throw refuse(
      "PowerDNS reads no country from the geo data that we were started with, so its LUA records would take every client for one of unknown place",
      "Start GlobalRoute with --mmdb FILE, a file in MaxMind's form, and name the same file in PowerDNS's geoip-database-files.",
    );
  return createPowerDnsProvider({
    ...{ server, serverId, domain, apiKey: read(keyPath) },
    exchange: exchangeOverHttp(caPath === undefined ? {} : { ca: read(caPath) }),
    ...(answers === "Lua" ? { lua: luaEnabledBy } : {}),
  });
}

/** Addresses that some file has, whatever it is of. */
const SAMPLES = ["8.8.8.8", "9.9.9.9", "1.1.1.1", "193.0.6.139", "2001:4860:4860::8888"];

/** Whether a file has countries, and not where PowerDNS looks for them (`country.iso_code`). */
function isFlat(path: string): boolean {
  const reader = new Reader<Record<string, unknown>>(readFileSync(path));
  return SAMPLES.some((address) => {
    const record = reader.get(address) ?? {};
    return "country_code" in record && !("country" in record);
  });
}

/** Route 53 is one service for the whole world, which has its API in this region. */
const REGION = "us-east-1";
/** For connecting and for an answer, ms. */
const [CONNECT, ANSWER] = [3000, 10_000] as const;

function openRoute53({ domain, owner }: ProvidedZone, zone: Route53Zone, lane: RequestLane, options: ProviderOpenerOptions): Provider {
  const { role, hostedZoneId } = zone;
  const assumed =
    role === undefined
      ? {}
      : {
          credentials: fromTemporaryCredentials({
            params: {
              RoleArn: role.arn,
              RoleSessionName: "globalroute",
              ...(role.externalId === undefined ? {} : { ExternalId: role.externalId }),
            },
            clientConfig: { region: REGION },
          }),
        };
  const client = new Route53Client({
    region: REGION,
    maxAttempts: 1, // the provider tries again itself, at the account's pace
    requestHandler: { connectionTimeout: CONNECT, requestTimeout: ANSWER, throwOnRequestTimeout: true },
    ...assumed,
  });
  return createRoute53Provider({
    ...{ client, lane, domain, owner },
    ...(hostedZoneId === undefined ? {} : { hostedZoneId }),
    isPrivate: zone.visibility === "Private",
    digest,
    nonce: () => randomBytes(4).toString("hex"),
    now: options.now,
    sleep: async (milliseconds, signal) => pause(milliseconds, undefined, { signal, ref: false }),
    onPropagated: (milliseconds) => options.onPropagated(domain, milliseconds),
  });
}

/** Rounds of ExternalDNS for which it may miss what was written: one may have begun before, and one may fail. */
const ROUNDS = 3;

function openExternalDns(
  { domain, owner }: ProvidedZone,
  { namespace, interval }: ExternalDnsZone,
  { dnsEndpoints: api, now }: ProviderOpenerOptions,
  onNews: ((news: ProviderNews) => void) | undefined,
): Provider {
  if (api === undefined)
    throw new ProviderError(
      "refused",
      `dnsendpoint ${namespace} ${domain}`,
      "DNSEndpoints are objects of an API server, and this process has none",
      "Let globalroute controller keep the zone, and ask it for plans.",
    );
  return createDnsEndpointProvider({
    ...{ api, namespace, domain, owner, digest, now },
    policies: "Plain",
    sleep: async (milliseconds, signal) => pause(milliseconds, undefined, { signal, ref: false }),
    patience: ROUNDS * interval,
    ...(onNews === undefined ? {} : { onNews: (news) => onNews(toProviderNews(news, namespace, interval)) }),
  });
}

/** Hexadecimal. */
export const digest = (text: string): string => createHash("sha256").update(text).digest("hex");
