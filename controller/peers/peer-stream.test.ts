import { duplexPair } from "node:stream";
import { describe, expect, test } from "vitest";
import { ms } from "../../src/model/units.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { type Hello, type PeerMessage, PROTOCOL } from "./peer-messages.ts";
import { createPeerStream, DEAD_AFTER, type EndReason, type PeerStream } from "./peer-stream.ts";
import { createSealer, LONGEST_LINE, sealKey } from "./seal.ts";

const SECRET = "an-installation-secret-of-32-characters";
const BINDING = Buffer.alloc(32, 1);
const HELLO: Hello = {
  type: "hello",
  protocol: PROTOCOL,
  role: "replica",
  instance: "pod-a",
  incarnation: "1",
  site: "hub",
  version: "1.0.0",
};

/** A listener, and the bare other end of its connection. */
function listen(options: { readonly highWaterMark?: number } = {}) {
  const clock = createSimulatedClock();
  const [near, far] = duplexPair(options);
  const messages: PeerMessage[] = [];
  const arrivals: number[] = [];
  const ends: EndReason[] = [];
  let stream: PeerStream | undefined;
  const opened = createPeerStream({
    socket: near,
    secret: SECRET,
    binding: BINDING,
    side: "listener",
    hello: HELLO,
    ports: {
      now: clock.now,
      wallClock: clock.wallClock,
      random: () => 0,
      setTimer: (delay, callback) => clock.setTimer(ms(delay), callback),
    },
    accept(_hello, accepted) {
      stream = accepted;
      return {
        onMessage(message, { sentAt }) {
          messages.push(message);
          arrivals.push(sentAt - clock.wallClock());
        },
        onDrain: () => undefined,
        onEnd: () => undefined,
      };
    },
    onEnd: (reason) => ends.push(reason),
  });
  const sealer = createSealer(sealKey(SECRET, BINDING, "dialler"), "pod-b");
  const line = (message: unknown, time = clock.wallClock()): string => sealer.seal(JSON.stringify(message), time);
  const say = async (text: string | Buffer): Promise<void> => {
    far.write(text);
    await clock.advance(0);
  };
  return { clock, far, messages, arrivals, ends, opened, stream: () => stream, line, say, hello: { ...HELLO, instance: "pod-b" } };
}

test("lines may come in any pieces", async () => {
  const { say, line, messages, hello } = listen();
  const text = line(hello) + line({ type: "beat" }) + line({ type: "left", voter: { site: "there", replica: "x" } });
  for (let i = 0; i < text.length; i += 7) await say(text.slice(i, i + 7));
  expect(messages.map(({ type }) => type)).toEqual(["beat", "left"]);
});

test("it beats each second, and not when it has said something else", async () => {
  const { far, clock, opened } = listen();
  const heard: string[] = [];
  far.on("data", (chunk: Buffer) =>
    heard.push(
      ...chunk
        .toString()
        .split("\n")
        .filter(Boolean)
        .map((text) => JSON.parse(text).body.type),
    ),
  );
  await clock.advance(3500);
  expect(heard).toEqual(["hello", "beat", "beat", "beat"]);
  opened.send({ type: "left", voter: { site: "there", replica: "x" } });
  await clock.advance(1000);
  expect(heard.slice(4)).toEqual(["left"]);
});

describe("it is ended", () => {
  test("when nothing comes", async () => {
    const { say, line, clock, ends, hello, far } = listen();
    far.resume();
    await say(line(hello));
    await clock.advance(DEAD_AFTER - 1000);
    expect(ends).toEqual([]);
    await clock.advance(1000);
    expect(ends).toEqual(["silent"]);
  });

  test("not when this process was stopped itself", async () => {
    const { say, line, clock, ends, hello, far } = listen();
    far.resume();
    await say(line(hello));
    await clock.jump(60_000);
    await say(line({ type: "beat" }));
    await clock.advance(2000);
    expect(ends).toEqual([]);
  });

  test("when messages come ever later", async () => {
    const { say, line, clock, ends, hello, arrivals, far } = listen();
    far.resume();
    await say(line(hello));
    await clock.advance(3000);
    await say(line({ type: "beat" }, clock.wallClock() - 3000));
    expect(arrivals).toEqual([-3000]); // taken off: what it says is as old as it is
    await clock.advance(3000);
    await say(line({ type: "beat" }, clock.wallClock() - DEAD_AFTER));
    expect(ends).toEqual(["late"]);
  });

  test("when nobody reads what it says", async () => {
    const { say, line, clock, ends, hello, opened } = listen({ highWaterMark: 1000 });
    await say(line(hello));
    while (!opened.isClogged()) opened.send({ type: "left", voter: { site: "x".repeat(100), replica: "x" } });
    for (let second = 0; second < 7; second++) {
      await clock.advance(1000);
      await say(line({ type: "beat" }));
    }
    expect(ends).toEqual(["slow"]);
  });

  const cases: readonly { name: string; lines: (peer: ReturnType<typeof listen>) => readonly (string | Buffer)[]; why: EndReason }[] = [
    { name: "by garbage", lines: () => ["GET / HTTP/1.1\r\n"], why: "malformed" },
    { name: "by bytes", lines: () => [Buffer.from([0, 255, 10])], why: "malformed" },
    { name: "by a line without an end", lines: ({ line, hello }) => [line(hello), Buffer.alloc(LONGEST_LINE + 1, 65)], why: "too-long" },
    { name: "by anything before the hello", lines: ({ line }) => [line({ type: "beat" })], why: "malformed" },
    { name: "by a second hello", lines: ({ line, hello }) => [line(hello), line(hello)], why: "malformed" },
    { name: "by a hello in another's name", lines: ({ line }) => [line({ ...HELLO, instance: "pod-c" })], why: "malformed" },
    { name: "by another protocol", lines: ({ line, hello }) => [line({ ...hello, protocol: PROTOCOL + 1 })], why: "protocol" },
    { name: "by a message that is none", lines: ({ line, hello }) => [line(hello), line({ type: "votes", votes: 1 })], why: "malformed" },
    {
      name: "by a line that was said before",
      lines({ line, hello }) {
        const [first, beat] = [line(hello), line({ type: "beat" })];
        return [first, beat, beat];
      },
      why: "sequence",
    },
    {
      name: "by a line that was changed",
      lines: ({ line, hello }) => [line(hello), line({ type: "beat" }).replace("beat", "bead")],
      why: "signature",
    },
  ];
  test.each(cases)("$name", async ({ lines, why }) => {
    const peer = listen();
    peer.far.resume();
    for (const text of lines(peer)) await peer.say(text);
    expect(peer.ends).toEqual([why]);
  });
});

test("what it says after its end goes nowhere", async () => {
  const { opened, ends, far, clock } = listen();
  far.resume();
  opened.end("revoked");
  opened.send({ type: "beat" });
  opened.end("closed");
  await clock.advance(10_000);
  expect(ends).toEqual(["revoked"]);
  expect(clock.pending()).toBe(0);
});
