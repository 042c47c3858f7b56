/** Runs chapters of tests against one real server for each transport, over each loopback family that there is here. */
import { type DecodedPacket, decode } from "dns-packet";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { type DecodedMessage, decodeMessage } from "../../../src/dns/wire/decode-message.ts";
import { encodeQuery, type QueryInput } from "../../../src/dns/wire/encode-query.ts";
import { parseIp } from "../../../src/model/ip.ts";
import { checkAnswer } from "../../fuzz/check-answer.ts";
import { askTcp, askUdp, type ServerAddress } from "../dns-client.ts";
import { type ConformanceServer, loopbacksHere, startConformanceServer, transportsHere } from "./world.ts";

export interface Reply extends DecodedMessage {
  readonly bytes: Uint8Array;
  /** The same message by an unrelated decoder. */
  readonly packet: DecodedPacket;
  /** RDATA of the answer section in presentation form, sorted. */
  readonly data: readonly string[];
}

export type Question = Omit<QueryInput, "id"> & { readonly id?: number };

export interface Conformance {
  /** Sends bytes as they are and reads the answer. Rejects when there is none. */
  readonly send: (query: Uint8Array, over?: "udp" | "tcp") => Promise<Reply>;
  /** Asks over UDP, and over TCP too if the answer is whole; both must say the same. @returns the answer over UDP */
  readonly ask: (question: Question) => Promise<Reply>;
  /** Resolves when no answer to these bytes came over UDP, while one to a later query did. */
  readonly expectSilence: (query: Uint8Array) => Promise<void>;
  /** Where the server answers, of the family under test. */
  readonly at: () => ServerAddress;
  readonly running: () => ConformanceServer;
}

let lastId = 0;
export const nextId = (): number => {
  lastId = (lastId + 1) & 0xffff;
  return lastId;
};

/** `198.51.100.7/32` as what goes into a query's EDNS. */
export function subnet(text: string): NonNullable<QueryInput["edns"]> {
  const [address = "", length] = text.split("/");
  const { family, bytes } = parseIp(address)!;
  return { clientSubnet: { family, address: bytes, source: Number(length) } };
}

export const encode = (question: Question): Uint8Array => encodeQuery({ id: nextId(), ...question });

function read(query: Uint8Array, bytes: Uint8Array, isUdp: boolean): Reply {
  expect(checkAnswer(query, query.length, bytes, isUdp)).toBeUndefined();
  const message = decodeMessage(bytes)!;
  const packet = decode(Buffer.from(bytes));
  expect(packet.answers ?? []).toHaveLength(message.answers.length);
  return { ...message, bytes, packet, data: message.answers.map(({ data }) => data).sort() };
}

/** One chapter of the suite: tests of an RFC, named by its sections. */
export type Chapter = (suite: Conformance) => void;

/** @param options of `serve`, for every server of the suite */
export function conformance(chapters: Readonly<Record<string, Chapter>>, ...options: readonly string[]): void {
  describe.each(transportsHere())("--dns-transport %s", (transport) => {
    let running: ConformanceServer | undefined;
    beforeAll(async () => {
      running = await startConformanceServer(transport, ...options);
    });
    afterAll(() => running?.stop());

    describe.each(loopbacksHere())("%s", (address) => {
      const suite = suiteOf(() => running!, address);
      describe.each(Object.entries(chapters))("%s", (_title, chapter) => chapter(suite));
    });
  });
}

function suiteOf(running: () => ConformanceServer, address: string): Conformance {
  const at = (): ServerAddress => running().at(address);
  const send: Conformance["send"] = async (query, over = "udp") =>
    read(query, await (over === "udp" ? askUdp(at(), query) : askTcp(at(), query)), over === "udp");
  return {
    at,
    running,
    send,
    async ask(question) {
      const query = encode(question);
      const reply = await send(query);
      if ((reply.flags & 0x0200) === 0) {
        const whole = await send(query, "tcp");
        expect(whole.rcode).toBe(reply.rcode);
        expect(whole.data).toEqual(reply.data);
        expect(whole.edns?.clientSubnet).toEqual(reply.edns?.clientSubnet);
      }
      return reply;
    },
    async expectSilence(query) {
      const silence = askUdp(at(), query, 150).then(
        () => "an answer",
        () => "silence",
      );
      await send(encode({ name: "ns1.example.org", type: 1 }));
      expect(await silence).toBe("silence");
    },
  };
}
