/**
 * The answering function as the program's threads use it: over UDP and TCP, IPv4 and IPv6, bare and with every extra, unsigned and signed.
 * What a thread that must be quick defers is answered by one that may take its time, as in the program.
 */
import { answer, newAnswerContext, useTables } from "../../src/dns/answer.ts";
import { type AnswerContext, DEFER } from "../../src/dns/answer-context.ts";
import { type AnswerSettings, NO_SETTINGS } from "../../src/dns/answer-settings.ts";
import { newCookieSecrets, setCookieSecrets } from "../../src/dns/cookies.ts";
import { newQueryCounters, Transport } from "../../src/dns/counters.ts";
import { lowerCased } from "../../src/dns/dnssec/canonical.ts";
import { SEED_WORDS } from "../../src/dns/rate-limit.ts";
import { newSignatureCache } from "../../src/dns/slow/signature-cache.ts";
import { createSlowSigner } from "../../src/dns/slow/slow-signer.ts";
import { newSource, setSource } from "../../src/dns/source.ts";
import { answerSigned } from "../../src/dns/transfer/signed-answer.ts";
import { encodeName } from "../../src/dns/wire/name.ts";
import type { ServingTables } from "../../src/dns/zone-table.ts";
import { dnsWorld } from "../support/dns-world.ts";
import { seededRandom } from "../support/random.ts";
import { type SignedWorld, signedWorld } from "../support/signed-world.ts";
import { FUZZ_KEY, type FuzzSubject } from "./fuzz-answers.ts";

interface Kind {
  readonly name: string;
  readonly transport: Transport;
  readonly source: string;
  readonly room: number;
  readonly world: "plain" | "signed";
  readonly settings?: AnswerSettings;
  /** Nobody stands behind it: what it defers is not answered. */
  readonly isAlone?: boolean;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

const SECRETS = [new Uint8Array(16).fill(7), new Uint8Array(16).fill(8)] as const;
const EXTRAS = {
  nsid: text("fuzzed"),
  versionBind: text("a version"),
  cookies: newCookieSecrets(...SECRETS),
  workers: 1,
} satisfies AnswerSettings;
/** A hundred a second for a name, at the packets of a millisecond each: most questions pass, floods do not. */
const LIMITED: AnswerSettings = {
  ...EXTRAS,
  rateLimit: { limit: 100, sourceLimit: 900, slip: 2, exempt: [], seed: new Int32Array(SEED_WORDS).map((_, i) => 0x9e37 * i) },
};

const KINDS: readonly Kind[] = [
  { name: "UDP", transport: Transport.UDP, source: "192.0.2.200", room: 1232, world: "plain" },
  { name: "TCP", transport: Transport.TCP, source: "198.51.100.7", room: 0xffff, world: "plain", settings: EXTRAS },
  { name: "UDP over IPv6 with extras", transport: Transport.UDP, source: "2001:db8:beef::1", room: 1232, world: "plain", settings: EXTRAS },
  {
    name: "UDP in 512 bytes",
    transport: Transport.UDP,
    source: "198.51.100.8",
    room: 512,
    world: "plain",
    settings: EXTRAS,
    isAlone: true,
  },
  { name: "UDP, limited", transport: Transport.UDP, source: "192.0.2.201", room: 1232, world: "plain", settings: LIMITED },
  { name: "UDP, signed", transport: Transport.UDP, source: "192.0.2.202", room: 1232, world: "signed", settings: EXTRAS },
  { name: "TCP, signed", transport: Transport.TCP, source: "2001:db8::7", room: 0xffff, world: "signed" },
];

/** 2026-11-21T12:00:00Z, when the signed world is signed. */
const EPOCH = Date.UTC(2026, 10, 21, 12);
/** Between two packets of one subject. */
const STEP_MS = 1;
/** After so many packets the clock is set, mostly on, at times back, and cookie secrets change places: cookies are old, early, of another secret. */
const LEAP = 5000;
const LEAPS_MS = [600_000, 900_000, -400_000, 600_000];
const SIGNATURES = 1 << 14;

/** Each subject has contexts of its own, which throw the same dice and read the same clock; signatures are shared, since no two are alike. */
export function fuzzSubjects(): readonly FuzzSubject[] {
  const plain = dnsWorld();
  const signed = signedWorld(EPOCH / 1000);
  return KINDS.map((kind) =>
    subjectOf(kind, kind.world === "signed" ? signed.tables : plain, kind.world === "signed" ? signed : undefined),
  );
}

function subjectOf(
  { name, transport, source: address, room, settings = NO_SETTINGS, isAlone = false }: Kind,
  tables: ServingTables,
  signed?: SignedWorld,
): FuzzSubject {
  const source = newSource(transport);
  setSource(source, address);
  const recent = newSignatureCache(SIGNATURES);

  /** A quick thread and a slow one behind it, with a clock of their own. */
  const newThreads = () => {
    const clock = { at: EPOCH };
    let packets = 0;
    const tick = (): void => {
      const isLeap = ++packets % LEAP === 0;
      clock.at += isLeap ? LEAPS_MS[(packets / LEAP) % LEAPS_MS.length]! : STEP_MS;
      if (isLeap) turnSecrets(packets / LEAP);
    };
    const now = (): number => clock.at;
    const random = (): number => seededRandom(clock.at)(); // the same for both threads: what one defers, the other chooses alike
    const signer = createSlowSigner(recent, now);
    signer.use(
      tables.zones.domains.map((domain, zone) => {
        const key = signed?.secrets.zoneKeys[zone];
        return key === undefined ? undefined : { key, apex: lowerCased(encodeName(domain)!) };
      }),
    );
    const { rateLimit: _counted, ...rest } = settings;
    const quick = newAnswerContext({ now, random }, newQueryCounters(), settings, { recent, signer: undefined });
    const slow = newAnswerContext({ now, random }, newQueryCounters(), rest, { recent, signer });
    for (const context of [quick, slow]) useTables(context, tables);
    const patient = (query: Uint8Array, length: number, out: Uint8Array, context: AnswerContext): number =>
      answerSigned(query, length, source, out, [FUZZ_KEY], clock.at, (bare, size, from, into) => answer(bare, size, from, into, context));
    return { now, tick, quick, finish: (query: Uint8Array, length: number, out: Uint8Array) => patient(query, length, out, slow) };
  };
  const [one, other] = [newThreads(), newThreads()];
  const aside = new Uint8Array(0xffff);
  let turns = 0;

  /** Once for both. */
  function turnSecrets(leap: number): void {
    if (leap <= turns) return;
    turns = leap;
    setCookieSecrets(EXTRAS.cookies, ...(leap % 2 === 0 ? SECRETS : ([SECRETS[1], SECRETS[0]] as const)));
  }

  return {
    name,
    isUdp: transport === Transport.UDP,
    room,
    now: one.now,
    mayDrop: settings.rateLimit !== undefined || isAlone,
    apart(query, length, out) {
      one.tick();
      const written = answer(query, length, source, out, one.quick);
      if (written !== DEFER) return written;
      return isAlone ? 0 : one.finish(query, length, out);
    },
    inPlace(message, length) {
      other.tick();
      const out = message.subarray(0, room);
      const isLong = length > room; // then it cannot be in place: an answer may not take more than its room
      let written = answer(isLong ? message : out, length, source, isLong ? aside.subarray(0, room) : out, other.quick);
      if (written === DEFER && isAlone) return 0;
      const isAside = isLong || written === DEFER;
      if (written === DEFER) written = other.finish(message, length, aside.subarray(0, room));
      if (isAside) for (let i = 0; i < written; i++) message[i] = aside[i]!;
      return written;
    },
  };
}
