/** A zone on any server that takes dynamic updates (RFC 2136) and hands it out by AXFR (RFC 5936), both signed with TSIG (RFC 8945). */
import { appendTsig, type TsigChain, type TsigKey, tsigChain, tsigSize, verifyTsig } from "../../src/dns/transfer/tsig.ts";
import { Rcode, rcodeName, Type } from "../../src/dns/wire/codes.ts";
import { decodeMessage } from "../../src/dns/wire/decode-message.ts";
import { encodeQuery } from "../../src/dns/wire/encode-query.ts";
import { authorityOf } from "../delegation/zone-authority.ts";
import { type Capabilities, type Provider, ProviderError, type ProviderErrorCode } from "../provider.ts";
import type { RecordSet } from "../record-set.ts";
import type { exchangeOverTcp, ServerAddress } from "./tcp-exchange.ts";
import { encodeUpdate, MAX_UPDATE, UPDATE_TYPES, updateCost } from "./update-message.ts";
import { createZoneReader } from "./zone-reader.ts";

export interface Rfc2136Options {
  /** The primary. */
  readonly server: ServerAddress;
  /** The zone's apex, lower case, without the trailing dot. */
  readonly domain: string;
  readonly key: TsigKey;
  /** {@link exchangeOverTcp}, or what stands before it. */
  readonly exchange: typeof exchangeOverTcp;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  /** A number below 65,536 that nobody guesses. */
  readonly randomId: () => number;
}

/** Everyone gets the same set: such a server knows no clients. */
const capabilitiesOf = (domain: string): Capabilities => ({
  fencing: "Atomic",
  types: UPDATE_TYPES,
  policies: [],
  authorizesNames: true,
  deadline: 10_000,
  lookEvery: 60_000,
  maxBatchCost: MAX_UPDATE,
  cost: (change) => updateCost(change, domain),
});

/** RCODEs of UPDATE (RFC 2136 §2.2) that a query does not have. */
const UpdateRcode = { YXDOMAIN: 6, YXRRSET: 7, NXRRSET: 8, NOTZONE: 10 } as const;

export function createRfc2136Provider(options: Rfc2136Options): Provider {
  const { server, domain, key, wallClock, randomId } = options;
  const name = `rfc2136 ${server.host.includes(":") ? `[${server.host}]` : server.host}:${server.port}`;
  const fail = (code: ProviderErrorCode, fact: string, remedy: string, cause?: unknown): ProviderError =>
    new ProviderError(code, `${name} ${domain}`, fact, remedy, cause);

  /** @param take told of each message whose signature is good */
  async function exchange(question: Uint8Array, take: (message: Uint8Array) => boolean, signal: AbortSignal): Promise<void> {
    const chain: TsigChain = tsigChain(key);
    const signed = new Uint8Array(question.length + tsigSize(key) + 64);
    signed.set(question);
    const length = appendTsig(signed, question.length, chain, wallClock());
    chain.timersOnly = false; // the first answer covers its variables whole (RFC 8945 §5.3)
    const verify = (message: Uint8Array): boolean => {
      const verdict = verifyTsig(message, message.length, [key], wallClock(), chain);
      if (verdict.kind === "Valid") return take(message);
      throw unsigned(message, verdict.kind === "Refused" && verdict.chain !== undefined);
    };
    try {
      await options.exchange(server, signed.subarray(0, length), verify, signal);
    } catch (error) {
      if (error instanceof ProviderError) throw error;
      if (signal.aborted) throw fail("unreachable", "no answer in time", "Look whether the server runs and is reachable by TCP.", error);
      const why = error instanceof Error ? error.message : String(error);
      throw fail("unreachable", why, "Look whether the server runs and is reachable by TCP.", error);
    }
  }

  /** What is meant by an answer whose signature is not good: servers do not sign for a key that they do not know. */
  function unsigned(message: Uint8Array, isClock: boolean): ProviderError {
    const rcode = decodeMessage(message)?.rcode ?? Rcode.NOERROR;
    if (isClock) return fail("unauthorized", "its clock and ours differ by more than 5 minutes", "Set both clocks.");
    if (rcode === Rcode.NOTAUTH)
      return fail(
        "unauthorized",
        `it does not accept our key ${key.name}`,
        "Compare name, algorithm and secret of the key, and both clocks.",
      );
    if (rcode !== Rcode.NOERROR) return refusal(rcode);
    return fail("unauthorized", "its answer is not signed with our key", "Something between may have changed it; ask the server directly.");
  }

  function refusal(rcode: number): ProviderError {
    const word = Object.entries(UpdateRcode).find(([, code]) => code === rcode)?.[0] ?? rcodeName(rcode);
    switch (rcode) {
      case UpdateRcode.NXRRSET:
      case UpdateRcode.YXRRSET:
      case UpdateRcode.YXDOMAIN:
      case Rcode.NXDOMAIN:
        return fail("conflict", `${word}: the zone is no longer as it was read`, "It is read again.");
      case Rcode.NOTAUTH:
      case UpdateRcode.NOTZONE:
        return fail("zone-missing", `${word}: it is no primary of this zone`, "Make the zone there, or name the zone's primary as server.");
      case Rcode.REFUSED:
        return fail("unauthorized", `${word}`, `Allow the key ${key.name} to update and to transfer the zone.`);
      case Rcode.SERVFAIL:
        return fail("unavailable", `${word}`, "The server's log tells why.");
      default:
        return fail("refused", `${word}`, "The server's log tells why.");
    }
  }

  async function transfer(hasCds: boolean, signal: AbortSignal): Promise<readonly RecordSet[]> {
    const id = randomId();
    const reader = createZoneReader(id, hasCds);
    let sets: readonly RecordSet[] = [];
    await exchange(
      encodeQuery({ id, name: domain, type: Type.AXFR }),
      (message) => {
        const step = reader.take(message);
        if (step.kind === "Refused") throw refusal(step.rcode);
        if (step.kind === "Malformed") throw fail("refused", "its transfer is malformed", "The server's log may tell why.");
        if (step.kind === "Whole") sets = step.sets;
        return step.kind === "Whole";
      },
      signal,
    );
    return sets;
  }

  return {
    name,
    capabilities: capabilitiesOf(domain),
    list: (signal) => transfer(false, signal),
    async authority(signal) {
      const found = authorityOf(domain, await transfer(true, signal));
      if ("fault" in found) throw fail("refused", found.fault.fact, found.fault.remedy);
      return found;
    },
    async apply(batch, signal) {
      const id = randomId();
      const update = encodeUpdate(id, domain, batch);
      if (update === undefined || update.length > MAX_UPDATE + 1024 - tsigSize(key))
        throw fail("refused", "the changes cannot be told in one message", "This is a fault of this program: report it.");
      let rcode: number | undefined;
      await exchange(
        update,
        (message) => {
          const answer = decodeMessage(message);
          if (answer?.id === id) rcode = answer.rcode;
          return true;
        },
        signal,
      );
      if (rcode === undefined) throw fail("refused", "its answer is malformed", "The server's log may tell why.");
      if (rcode !== Rcode.NOERROR) throw refusal(rcode);
    },
  };
}
