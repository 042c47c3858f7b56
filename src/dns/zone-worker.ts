/**
 * The thread that builds zone tables and signs what is in them, so that a large zone never delays an answer or a probe. Signatures are used
 * again from one build to the next for as long as nothing about them has changed.
 */
import { createHmac } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import type { Zone } from "../model/inventory.ts";
import { lowerCased } from "./dnssec/canonical.ts";
import { publicHalf, readActiveKey } from "./dnssec/key-file.ts";
import { createZoneSigner, type Signatures, type ZoneSigner } from "./dnssec/zone-signer.ts";
import { createPinning, type Pinning } from "./slow/pinned-signatures.ts";
import type { SigningTable } from "./slow/rrset-signature.ts";
import { advanceViews, firstViews } from "./transfer/advance-views.ts";
import { loadTsigKeys } from "./transfer/key-file.ts";
import { loadViews, saveViews } from "./transfer/view-file.ts";
import { encodeName } from "./wire/name.ts";
import type { ZoneReply, ZoneRequest, ZoneRouting, ZoneWorkerData } from "./zone-builder.ts";
import { buildZoneTable, type ZoneTable } from "./zone-table.ts";

/** How many signatures a new table waits for: what takes longer, at 100 µs each, is signed while it serves. */
const BEFORE_SERVING = 20_000;
/** As many as take about a quarter of a second. */
const AT_ONCE = 2500;

/** Domain → what was signed at the last build. */
let earlier: ReadonlyMap<string, Signatures> = new Map();
let pinning: Pinning | undefined;
const { viewFolder } = workerData as ZoneWorkerData;
let views = viewFolder === undefined ? firstViews([]) : loadViews(viewFolder);
/** What the files in the folder say. */
let saved = views.serials;
let latest: BuildRequest | undefined;

function signersOf(zones: readonly Zone[], now: number): ReadonlyMap<string, ZoneSigner> {
  const signers = new Map<string, ZoneSigner>();
  for (const { name, domain, dnssec } of zones) {
    const apex = encodeName(domain);
    if (dnssec === undefined || apex === undefined || signers.has(domain)) continue;
    const active = readActiveKey(dnssec);
    if ("fault" in active) throw new Error(`DNSZone ${name}: ${active.fault.message}. ${active.fault.remedy}`);
    const before = earlier.get(domain);
    const signer = createZoneSigner({
      apex: lowerCased(apex),
      key: active.value,
      otherKeys: dnssec.keys.filter(({ state }) => state !== "Active").map(publicHalf),
      delegation: dnssec.delegation,
      now: now / 1000,
      ...(before === undefined ? {} : { earlier: before }),
    });
    signers.set(domain, signer);
  }
  return signers;
}

type BuildRequest = Extract<ZoneRequest, { kind: "build" }>;

function build(request: BuildRequest): ZoneReply {
  const { id, zones, routing, serial, now, hashKey } = request;
  const signers = signersOf(zones, now);
  const { keys: tsigKeys, faults } = loadTsigKeys(zones);
  // Views are not advanced here: nobody has written live state into a table that is not published yet.
  const copied = new Set(zones.flatMap(({ domain, transfer }) => (transfer === undefined ? [] : [domain])));
  const serials = new Map([...views.serials].filter(([domain]) => copied.has(domain)));
  const unsaved = saveChangedViews();
  const built = buildZoneTable(zones, routing, (domain) => serials.get(domain) ?? serial, signers);
  latest = request;
  const zoneKeys = built.zones.domains.map((domain) => signers.get(domain)?.key);
  const signing = signers.size === 0 ? undefined : pin(built.zones, routing, signers, hashKey, now);
  earlier = new Map([...signers].map(([domain, { signatures }]) => [domain, signatures]));
  if (signing === undefined) pinning = undefined;
  const unsigned = pinning?.left() ?? 0;
  const expires = Array.from(built.zones.zoneExpires, (at, zone) => Math.min(at, pinning?.expires()[zone] ?? Number.POSITIVE_INFINITY));
  return {
    id,
    kind: "built",
    ...built,
    signing,
    secrets: { zoneKeys, tsigKeys },
    expires,
    unsigned,
    views: [...views.byDomain.values()].filter(({ domain }) => copied.has(domain)),
    faults: [...faults, ...unsaved],
  };
}

/** Builds what was built last once more, if copies of its zones have anything else by now. */
function advance({ id, now, serial, serials }: Extract<ZoneRequest, { kind: "advance" }>): ZoneReply {
  if (latest === undefined) return { id, kind: "same" };
  const { zones, routing } = latest;
  let signers: ReadonlyMap<string, ZoneSigner> | undefined;
  const signer = (domain: string): ZoneSigner | undefined => {
    signers ??= signersOf(zones, now);
    return signers.get(domain);
  };
  views = advanceViews(views, { zones, routing, signer, serials }, now);
  const isServed = [...views.serials].every(([domain, view]) => serials.get(domain) === view);
  return isServed ? { id, kind: "same" } : build({ ...latest, id, now, serial });
}

/** Before anybody sees a serial it is on the disk. @returns why it is not, in sentences */
function saveChangedViews(): readonly string[] {
  if (viewFolder === undefined) return [];
  try {
    saveViews(viewFolder, views, saved);
    saved = views.serials;
    return [];
  } catch (error) {
    return [
      `${viewFolder} cannot be written (${error instanceof Error ? error.message : error}). Copies of zones may have to be taken whole after a restart.`,
    ];
  }
}

function pin(
  zones: ZoneTable,
  routing: ZoneRouting,
  signers: ReadonlyMap<string, ZoneSigner>,
  hashKey: Int32Array,
  now: number,
): SigningTable {
  const secrets = zones.domains.map((domain) => {
    const signer = signers.get(domain);
    return signer === undefined ? undefined : { key: signer.key, apex: lowerCased(encodeName(domain)!) };
  });
  const zoneHashKey = secrets.map((secret) => {
    if (secret === undefined) return undefined;
    const digest = createHmac("sha256", hashKey).update(secret.apex).update(secret.key.publicKey).digest();
    return Int32Array.from({ length: 4 }, (_, i) => digest.readInt32LE(4 * i));
  });
  pinning = createPinning({
    zones,
    hot: routing.hot,
    state: routing.state,
    zoneHashKey,
    secrets,
    earlier: pinning?.signing.pinned,
  });
  pinning.sign(BEFORE_SERVING, now / 1000);
  return pinning.signing;
}

function answer(request: ZoneRequest): ZoneReply {
  const { id } = request;
  try {
    if (request.kind === "build") return build(request);
    if (request.kind === "advance") return advance(request);
    pinning?.sign(AT_ONCE, request.now / 1000);
    return { id, kind: "signed", unsigned: pinning?.left() ?? 0 };
  } catch (error) {
    return { id, kind: "failed", message: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on("message", (request: ZoneRequest) => parentPort?.postMessage(answer(request)));
