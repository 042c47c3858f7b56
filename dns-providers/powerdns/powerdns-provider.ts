/**
 * A zone on a PowerDNS Authoritative Server, by its HTTP API (4.4 or newer). It compares nothing: the fence is read right before a write, and
 * a write of an older writer that comes between the two is repaired by the next sync (docs/safety.md, rule 5).
 */

import { setAt } from "../change.ts";
import { authorityOf } from "../delegation/zone-authority.ts";
import { type Capabilities, type ChangeBatch, type Provider, ProviderError, type ProviderErrorCode, type Refused } from "../provider.ts";
import { recordSetKey, sameRecordSet } from "../record-set.ts";
import type { HttpAnswer, HttpExchange, HttpRequest } from "./http-exchange.ts";
import { isGeographic } from "./lua-script.ts";
import { luaFaults, readSettings, type SetupFault } from "./lua-setup.ts";
import { formatPatch, MAX_PATCH, patchCost, readZone, type ZoneView } from "./rrsets.ts";
import { type Registry, registryAfter, registryOf, wholeNames } from "./whole-names.ts";

export interface PowerDnsOptions {
  /** Its webserver, without a slash at the end: `http://192.0.2.53:8081`. */
  readonly server: string;
  /** As the server calls itself; `localhost` unless something stands before it. */
  readonly serverId?: string;
  /** The zone's apex, lower case, without the trailing dot. */
  readonly domain: string;
  readonly apiKey: string;
  readonly exchange: HttpExchange;
  /** Where LUA records are enabled; absent: they are not written. */
  readonly lua?: "Server" | "Zone";
}

export interface PowerDnsProvider extends Provider {
  /** What the server lacks for LUA records that ask where clients are; empty when they are not written. @throws ProviderError */
  checkSetup(signal: AbortSignal): Promise<readonly SetupFault[]>;
}

const TYPES = ["A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NS", "SRV", "TXT"] as const;

const capabilitiesOf = (lua: PowerDnsOptions["lua"]): Capabilities => ({
  fencing: "BestEffort",
  types: lua === undefined ? TYPES : [...TYPES, "LUA"],
  policies: [], // scripts tell clients apart within one set
  maxBatchCost: MAX_PATCH,
  cost: patchCost,
  deadline: 10_000,
  lookEvery: 60_000,
});

const UNREACHED = "Look whether the server runs, has webserver and api switched on, and lets this machine in (webserver-allow-from).";
const NOT_POWERDNS = "Look whether this is the address of PowerDNS's webserver.";

export function createPowerDnsProvider(options: PowerDnsOptions): PowerDnsProvider {
  const { server, serverId = "localhost", domain, apiKey, lua } = options;
  const name = `powerdns ${server}`;
  const base = `${server}/api/v1/servers/${encodeURIComponent(serverId)}`;
  const zonePath = `/zones/${encodeURIComponent(`${domain}.`)}`;
  /** What was found fit for LUA records since the zone was listed last: settings change with a restart alone. */
  let fit: "No" | "Plain" | "Geographic" = "No";

  /** As it was listed, with what was written since: who does anything else lists again. */
  let registry: Registry = new Map();

  const fail = (code: ProviderErrorCode, fact: string, remedy: string, cause?: unknown, refused?: Refused): ProviderError =>
    new ProviderError(code, `${name} ${domain}`, fact, remedy, cause, refused);

  /** @returns the body of a success, parsed; undefined when there is none */
  async function send(method: HttpRequest["method"], path: string, signal: AbortSignal, body?: string): Promise<unknown> {
    let answer: HttpAnswer;
    try {
      const headers = {
        "x-api-key": apiKey,
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      };
      answer = await options.exchange({ method, url: `${base}${path}`, headers, ...(body === undefined ? {} : { body }) }, signal);
    } catch (error) {
      if (signal.aborted) throw fail("unreachable", "no answer in time", UNREACHED, error);
      throw fail("unreachable", error instanceof Error ? error.message || error.name : String(error), UNREACHED, error);
    }
    const told = parseJson(answer.body);
    if (answer.status < 200 || answer.status > 299) throw refusal(answer.status, reasonOf(told));
    if (answer.body !== "" && told === undefined) throw fail("refused", "its answer is no JSON", NOT_POWERDNS);
    return told;
  }

  function refusal(status: number, reason: string | undefined): ProviderError {
    const fact = `${status}${reason === undefined ? "" : ` ${JSON.stringify(reason)}`}`;
    if (status === 401 || status === 403)
      return fail("unauthorized", `${fact}: it does not accept our key`, "Give the value of its setting api-key.");
    // Older servers say 422 for a zone that they do not have.
    if (status === 404 || (status === 422 && /could not find domain/i.test(reason ?? "")))
      return fail("zone-missing", fact, "Make the zone there, or correct the domain or the server.");
    if (status === 422 && /conflicts with/i.test(reason ?? "")) return fail("conflict", fact, "It is read again.");
    if (status === 413) return fail("refused", fact, "Set webserver-max-bodysize to 2 (MB) or more, which is its default.");
    if (status === 429) return fail("rate-limited", fact, "It is tried again.");
    if (status >= 500) return fail("unavailable", fact, "The server's log tells why.");
    return fail("refused", fact, "The server says what it does not take; its log may tell more.", undefined, refusedNames(reason));
  }

  async function look(query: string, signal: AbortSignal): Promise<ZoneView> {
    const zone = readZone(await send("GET", `${zonePath}${query}`, signal));
    if (zone === undefined) throw fail("refused", "its answer is no zone", NOT_POWERDNS);
    if (zone.isCopy) throw fail("refused", "it has a copy of this zone", "Name the server that the copy is taken from.");
    return zone;
  }

  async function settings(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const found = readSettings(await send("GET", "/config", signal));
    if (found === undefined) throw fail("refused", "its answer is no list of settings", NOT_POWERDNS);
    return found;
  }

  /** Nothing is written that would be answered by nothing. */
  async function fitForLua({ changes }: ChangeBatch, { isPresigned }: ZoneView, signal: AbortSignal): Promise<void> {
    const written = changes.flatMap((change) => (change.action !== "Delete" && change.after.type === "LUA" ? change.after.values : []));
    if (written.length === 0) return;
    const needed = written.some(isGeographic) ? "Geographic" : "Plain";
    if (fit === "Geographic" || fit === needed) return;
    if (isPresigned)
      throw fail(
        "refused",
        "the zone was signed elsewhere, so no LUA record is answered",
        "Let this server sign it, or use no LUA records.",
      );
    const needs = { isEnabledInZone: lua === "Zone", isGeographic: needed === "Geographic" };
    const fault = luaFaults(await settings(signal), domain, needs).find(({ isFatal }) => isFatal);
    if (fault !== undefined) throw fail("refused", fault.fact, fault.remedy);
    fit = needed;
  }

  return {
    name,
    capabilities: capabilitiesOf(lua),
    async list(signal) {
      fit = "No";
      const { sets } = await look("", signal);
      registry = registryOf(sets);
      return sets;
    },
    async authority(signal) {
      const found = authorityOf(domain, (await look("", signal)).sets);
      if ("fault" in found) throw fail("refused", found.fault.fact, found.fault.remedy);
      return found;
    },
    async apply(batch, signal) {
      const { fence, changes } = batch;
      // Servers before 4.6 do not know the filter and tell the whole zone.
      const fenceSet = setAt(fence);
      const zone = await look(`?rrset_name=${encodeURIComponent(`${fenceSet.name}.`)}&rrset_type=TXT`, signal);
      const stands = zone.sets.find((set) => recordSetKey(set) === recordSetKey(fenceSet));
      const expected = fence.action === "Create" ? undefined : fence.before;
      const isSame = stands === undefined ? expected === undefined : expected !== undefined && sameRecordSet(stands, expected);
      if (!isSame) throw fail("conflict", "the fence is another: somebody wrote since the zone was read", "It is read again.");
      await fitForLua(batch, zone, signal);
      await send("PATCH", zonePath, signal, formatPatch([fence, ...wholeNames(changes, registry)]));
      registry = registryAfter(registry, changes);
    },
    async checkSetup(signal) {
      if (lua === undefined) return [];
      return luaFaults(await settings(signal), domain, { isEnabledInZone: lua === "Zone", isGeographic: true });
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `RRset bad.example.org. IN A: …`, `Record bad.example.org./A '192.0.2': …` */
function refusedNames(reason: string | undefined): Refused | undefined {
  const name = /^(?:RRset|Record|Name|Key) '?([^\s/']+?)\.?(?:[/'\s]|$)/i.exec(reason ?? "")?.[1];
  return name === undefined ? undefined : { names: [name.toLowerCase()] };
}

/** Longest reason that is passed on. */
const MAX_REASON = 300;

function reasonOf(told: unknown): string | undefined {
  const error = typeof told === "object" && told !== null && "error" in told ? told.error : undefined;
  return typeof error === "string" ? error.slice(0, MAX_REASON) : undefined;
}
