/**
 * Amazon Route 53's API (2013-04-01, REST-XML) on a loopback port, with one account in memory, and what of STS assumes roles beside it. It is made from AWS's
 * documentation and from messages that users of AWS quote; it knows nothing of who calls it.
 *
 * Not in it: DNSSEC, traffic policies, query logging, VPC associations after creation, CloudWatch and Recovery Control health checks.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import type { Account, HealthCheck, HostedZone } from "./account.ts";
import { ApiError, invalidInput } from "./api-error.ts";
import { applyBatch } from "./change-batch.ts";
import { createFaults, type Fault } from "./faults.ts";
import { isHealthy } from "./health-checks.ts";
import { createHostedZone } from "./hosted-zones.ts";
import { DEFAULT_QUOTAS, DEFAULT_RATES, type Quotas, type Rates } from "./limits.ts";
import { SERVICE_ZONES } from "./locations.ts";
import { normaliseName } from "./names.ts";
import { contextOf, rateExceeded } from "./record-sets.ts";
import { findRoute, isWrite, type Route } from "./routes.ts";
import { authenticate, type Credential, expiredToken, type SignedRequest } from "./signature.ts";
import { assumeRole, type Role, STS_NAMESPACE, UNSIGNED_ACTION } from "./sts.ts";
import { createThrottle } from "./throttle.ts";
import { type Element, element, formatDocument, parseXml } from "./xml.ts";
import type { Change } from "./zone-context.ts";

const NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/";
/** Route 53 is signed for in one region, wherever its clients are. */
const SCOPE = { service: "route53", region: "us-east-1" } as const;

/** The credential that is known when a test names no others. */
export const EMULATOR_CREDENTIAL = {
  accessKeyId: "AKIAEMULATED00000000",
  secretAccessKey: "emulated/secret+0123456789",
} as const satisfies Credential;

export interface Route53Options {
  /** Milliseconds since the epoch, for change states, buckets and tokens. Absent = the machine's. */
  readonly wallClock?: () => number;
  readonly quotas?: Partial<Quotas>;
  readonly rates?: Partial<Rates>;
  readonly credentials?: readonly Credential[];
  readonly roles?: readonly Role[];
  /** Hosted zones that aliases may name beside the known ones of AWS's services. */
  readonly serviceZones?: readonly string[];
  /** Signatures older than five minutes of `wallClock` are refused. */
  readonly checksSignatureAge?: boolean;
  /** Whether the target of an alias may be deleted while the alias stands; AWS does not say. */
  readonly mayDangle?: boolean;
  /** Whether health checks take 192.0.2.0/24 and the like; by the documentation they do not. */
  readonly allowsDocumentationAddresses?: boolean;
}

/** May be changed at any time. */
export interface Knobs {
  /** Whether token buckets are in force. */
  isThrottling: boolean;
  /** From PENDING to INSYNC. */
  propagationMilliseconds: number;
  /** How long a zone works on a batch, refusing others with PriorRequestNotComplete. */
  processingMilliseconds: number;
  /** Every request is answered ExpiredToken. */
  isTokenExpired: boolean;
  /** Actions that are answered AccessDenied. */
  deniedActions: readonly string[];
  /** The reference shows `<InvalidChangeBatch><Messages>`; the service answers with an ErrorResponse as well. */
  invalidChangeBatchForm: "ErrorResponse" | "Messages";
}

export interface HandledRequest {
  readonly action: string;
  /** Undefined: the connection broke. */
  readonly status: number | undefined;
  /** Of an error. */
  readonly code?: string;
  readonly accessKeyId?: string;
}

/** @see Route53Emulator.exchange */
export interface EmulatorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** XML. */
  readonly document: string;
}

export interface Route53Emulator {
  readonly url: string;
  readonly port: number;
  readonly knobs: Knobs;
  /** Every request since the last `forget`, in the order in which they ended. */
  readonly log: readonly HandledRequest[];
  /** Requests of an action, whatever became of them; of all actions when none is named. */
  requests(action?: string): number;
  /** Requests that were carried out and may have changed something, answered or not. */
  writes(): number;
  forget(): void;
  inject(fault: Fault): void;
  clearFaults(): void;
  /** Makes a zone past the API. @returns its id */
  addZone(name: string, vpc?: { readonly region: string; readonly id: string }): string;
  /** Changes record sets past the API, by the same rules. @throws Error with what is wrong with them */
  interfere(zoneId: string, changes: readonly Change[]): void;
  zone(id: string): HostedZone | undefined;
  healthChecks(): readonly HealthCheck[];
  /** Says what the endpoint of a health check does from now on. */
  setEndpointHealth(healthCheckId: string, isUp: boolean): void;
  /** Health checks that Route 53 considers unhealthy now. */
  unhealthy(): ReadonlySet<string>;
  /** Blocks of a location, as answer.ts asks for them. */
  blocksOf(collectionId: string, location: string): readonly string[];
  /**
   * Answers a request that came by no wire, of a sender whose signature nobody looks at: most of the time of a small request is in those.
   *
   * @returns undefined when the connection breaks
   */
  exchange(request: SignedRequest): Promise<EmulatorAnswer | undefined>;
  close(): Promise<void>;
}

export async function startRoute53Emulator(options: Route53Options = {}): Promise<Route53Emulator> {
  const now = options.wallClock ?? (() => Date.now());
  const knobs: Knobs = {
    ...{ isThrottling: false, propagationMilliseconds: 0, processingMilliseconds: 0, isTokenExpired: false, deniedActions: [] },
    invalidChangeBatchForm: "ErrorResponse",
  };
  const throttle = createThrottle({ ...DEFAULT_RATES, ...options.rates }, now);
  const faults = createFaults();
  const credentials = new Map((options.credentials ?? [EMULATOR_CREDENTIAL]).map((one) => [one.accessKeyId, one]));
  let numbers = 0;
  const nextNumber = (): number => ++numbers;
  const account: Account = {
    ...{ id: "123456789012", quotas: { ...DEFAULT_QUOTAS, ...options.quotas }, now, nextNumber },
    ...{ serviceZones: new Set([...SERVICE_ZONES, ...(options.serviceZones ?? [])]), mayDangle: options.mayDangle ?? false },
    allowsDocumentationAddresses: options.allowsDocumentationAddresses ?? false,
    propagationMilliseconds: () => knobs.propagationMilliseconds,
    processingMilliseconds: () => knobs.processingMilliseconds,
    admitChanges: (count) => !knobs.isThrottling || throttle.admitChanges(count),
    ...{ zones: new Map(), changes: new Map(), healthChecks: new Map(), spentReferences: new Set(), failingChecks: new Set() },
    ...{ collections: new Map(), delegationSets: new Map(), tags: new Map() },
  };
  const log: HandledRequest[] = [];
  let writes = 0;

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "/", headers } = request;
    const answer = await answerTo({ method, target: url, headers, body: await bodyOf(request) }, true);
    if (answer === undefined) request.socket.destroy();
    else {
      response.writeHead(answer.status, answer.headers);
      response.end(answer.document);
    }
  }

  /** @returns undefined when the connection breaks */
  async function answerTo(request: SignedRequest, isSigned: boolean): Promise<EmulatorAnswer | undefined> {
    const { method, target, body } = request;
    const [path = "", query = ""] = target.split("?");
    const form = path === "/" && method === "POST" ? new URLSearchParams(body.toString()) : undefined;
    const isSts = form !== undefined;
    const found = findRoute(method, path);
    const action = form?.get("Action") ?? found?.route.action ?? "Unknown";
    const namespace = isSts ? STS_NAMESPACE : NAMESPACE;
    const requestId = `00000000-0000-4000-9000-${nextNumber().toString(16).padStart(12, "0")}`;
    const answer = (status: number, root: Element, headers: Readonly<Record<string, string>> = {}): EmulatorAnswer => ({
      status,
      headers: { "Content-Type": "text/xml", "x-amzn-RequestId": requestId, ...headers },
      document: formatDocument(root, namespace),
    });
    const fault = faults.take(action);
    let accessKeyId: string | undefined;
    const note = (status: number | undefined, code?: string): void => {
      log.push({ action, status, ...(code === undefined ? {} : { code }), ...(accessKeyId === undefined ? {} : { accessKeyId }) });
    };
    if (fault?.kind === "DropBefore") {
      note(undefined);
      return undefined;
    }
    try {
      if (isSigned && action !== UNSIGNED_ACTION) accessKeyId = signer(request, isSts);
      if (knobs.deniedActions.includes(action)) throw accessDenied(account.id, action);
      if (knobs.isThrottling && !throttle.admitRequest(action)) throw rateExceeded();
      if (fault?.kind === "Error") throw new ApiError(fault.status, fault.code, fault.message ?? fault.code);
      if (found === undefined && !isSts) throw new ApiError(404, "UnknownOperationException", `There is no ${method} ${path}`);
      if (fault?.kind === "Delay") await holdUp(found?.parts[0], action, fault.milliseconds);
      const result = isSts ? assume(form) : run(found!.route, found!.parts, new URLSearchParams(query), body);
      if (isWrite(action) && !isSts) writes++;
      if (fault?.kind === "DropAfter") {
        note(undefined);
        return undefined;
      }
      note(result.status);
      const location =
        "location" in result && result.location !== undefined
          ? { Location: `https://route53.amazonaws.com/2013-04-01/${result.location}` }
          : {};
      return answer(result.status, result.root, location);
    } catch (error) {
      const failure =
        error instanceof ApiError
          ? error
          : new ApiError(500, "InternalFailure", error instanceof Error ? (error.stack ?? error.message) : String(error));
      note(failure.status, failure.code);
      return answer(failure.status, encodeError(failure, requestId, knobs.invalidChangeBatchForm));
    }
  }

  function signer(request: SignedRequest, isSts: boolean): string {
    if (knobs.isTokenExpired) throw expiredToken();
    const wallClock = options.checksSignatureAge === true ? now() : undefined;
    // STS has an endpoint for each region: any will do.
    const region = isSts
      ? (/\/(?<region>[a-z0-9-]+)\/sts\//.exec(request.headers.authorization?.toString() ?? "")?.groups?.region ?? "")
      : SCOPE.region;
    const scope = { service: isSts ? "sts" : SCOPE.service, region, now: now(), wallClock };
    return authenticate(request, (id) => credentials.get(id), scope).accessKeyId;
  }

  /** A batch that is held up keeps its zone busy. */
  async function holdUp(zoneId: string | undefined, action: string, milliseconds: number): Promise<void> {
    const zone = action === "ChangeResourceRecordSets" ? account.zones.get(zoneId ?? "") : undefined;
    if (zone !== undefined) zone.inFlight++;
    await setTimeout(milliseconds);
    if (zone !== undefined) zone.inFlight--;
  }

  function run(route: Route, path: readonly string[], query: URLSearchParams, body: Buffer) {
    return route.run({ path, query, body: route.root === undefined ? element("None", []) : rootOf(body, route.root) }, account);
  }

  function assume(form: URLSearchParams) {
    const { credential, root } = assumeRole(form, options.roles ?? [], now(), nextNumber);
    credentials.set(credential.accessKeyId, credential);
    return { status: 200, root };
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const zoneOf = (id: string): HostedZone | undefined => account.zones.get(id);

  return {
    ...{ url: `http://127.0.0.1:${port}`, port, knobs, log },
    requests: (action) => (action === undefined ? log.length : log.filter((one) => one.action === action).length),
    writes: () => writes,
    forget() {
      log.length = 0;
      writes = 0;
    },
    inject: (fault) => faults.add(fault),
    clearFaults: () => faults.clear(),
    addZone(name, vpc) {
      const place = vpc === undefined ? undefined : element("VPC", [element("VPCRegion", vpc.region), element("VPCId", vpc.id)]);
      const body = element("CreateHostedZoneRequest", [element("Name", name), place, element("CallerReference", `added ${nextNumber()}`)]);
      createHostedZone({ path: [], query: new URLSearchParams(), body }, account);
      return [...account.zones.keys()].at(-1)!;
    },
    interfere(zoneId, changes) {
      const zone = zoneOf(zoneId);
      if (zone === undefined) throw new Error(`no zone ${zoneId}`);
      const stored = changes.map(({ action, set }) => ({ action, set: { ...set, name: normaliseName(set.name) ?? set.name } }));
      const outcome = applyBatch(zone.sets, stored, contextOf(zone, account));
      if (outcome.kind === "NoSuchHealthCheck") throw new Error(`no health check ${outcome.id}`);
      if (outcome.kind === "Refused") throw new Error(outcome.messages.join(", "));
      zone.sets = outcome.sets;
    },
    zone: zoneOf,
    healthChecks: () => [...account.healthChecks.values()],
    setEndpointHealth(id, isUp) {
      if (isUp) account.failingChecks.delete(id);
      else account.failingChecks.add(id);
    },
    unhealthy: () => new Set([...account.healthChecks.keys()].filter((id) => !isHealthy(account, id))),
    blocksOf: (collectionId, location) => account.collections.get(collectionId)?.locations.get(location) ?? [],
    exchange: (request) => answerTo(request, false),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** @throws ApiError InvalidInput when the body is not that element, in the API's namespace */
function rootOf(body: Buffer, name: string): Element {
  let root: Element;
  try {
    root = parseXml(body.toString("utf8"));
  } catch (error) {
    throw invalidInput(`Invalid XML ; ${error instanceof Error ? error.message : String(error)}`);
  }
  if (root.name !== name || ![...root.attributes.values()].includes(NAMESPACE)) {
    throw invalidInput(`Invalid XML ; cvc-elt.1: Cannot find the declaration of element '${root.name}'.`);
  }
  return root;
}

/** @see https://docs.aws.amazon.com/Route53/latest/APIReference/requests-rest-responses.html */
function encodeError({ status, code, message, messages }: ApiError, requestId: string, form: Knobs["invalidChangeBatchForm"]): Element {
  if (code === "InvalidChangeBatch" && form === "Messages") {
    return element("InvalidChangeBatch", [
      element(
        "Messages",
        messages.map((one) => element("Message", one)),
      ),
      element("RequestId", requestId),
    ]);
  }
  return element("ErrorResponse", [
    element("Error", [element("Type", status < 500 ? "Sender" : "Receiver"), element("Code", code), element("Message", message)]),
    element("RequestId", requestId),
  ]);
}

const accessDenied = (accountId: string, action: string): ApiError =>
  new ApiError(
    403,
    "AccessDenied",
    `User: arn:aws:iam::${accountId}:user/emulated is not authorized to perform: route53:${action} because no identity-based policy allows the route53:${action} action`,
  );
