/** HTTP/2 in front of the embedded proxy, spoken by `node:http2` and by hand. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { type ClientHttp2Session, type ClientHttp2Stream, constants, type OutgoingHttpHeaders } from "node:http2";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Milliseconds, ms } from "../../../src/model/units.ts";
import { PROXY_SETTINGS } from "../../../src/proxy/embedded/forward/settings.ts";
import { HTTP2_SETTINGS } from "../../../src/proxy/embedded/front/http2-settings.ts";
import { openFront, openSession } from "../../support/http1/front-in-test.ts";
import { type FrontWorld, openTls, SHOP, tlsSettings } from "../../support/http1/front-world.ts";
import {
  Flag,
  FrameType,
  fieldBlock,
  frame,
  get,
  goAwayCode,
  INITIAL_WINDOW,
  PREFACE,
  resetStream,
  settings,
} from "../../support/http2/frames.ts";
import { seededRandom } from "../../support/random.ts";

interface Answer {
  readonly status: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

async function read(stream: ClientHttp2Stream): Promise<Answer> {
  const pieces: Buffer[] = [];
  stream.on("data", (piece: Buffer) => pieces.push(piece));
  const answered = once(stream, "response");
  const ended = once(stream, "close");
  const [fields] = (await answered) as [Record<string, unknown>];
  await ended;
  if (stream.rstCode !== 0) throw new Error(`reset: ${stream.rstCode}`);
  return { status: Number(fields[":status"]), fields, body: Buffer.concat(pieces) };
}

function ask(client: ClientHttp2Session, fields: OutgoingHttpHeaders = {}, body?: Buffer): Promise<Answer> {
  const stream = client.request({ ":authority": SHOP, ...fields }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return read(stream);
}

const hash = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

const echo: RequestListener = (incoming, response) => {
  const pieces: Buffer[] = [];
  incoming.on("data", (piece: Buffer) => pieces.push(piece)).on("error", () => {});
  incoming.on("end", () => {
    const url = new URL(incoming.url!, "http://a");
    response.setHeader("X-Got", hash(Buffer.concat(pieces)));
    if (url.pathname === "/empty") return void response.writeHead(204).end();
    const size = Number(url.searchParams.get("size") ?? 0);
    if (url.pathname === "/length") response.setHeader("Content-Length", size);
    for (let left = size; left > 0; left -= 7000) response.write(Buffer.alloc(Math.min(left, 7000), "x"));
    response.end();
  });
};

test("requests and responses of all sizes come through as they were sent, many at a time", async () => {
  const world = await openFront(echo);
  const client = openSession(world);
  const random = seededRandom(2);
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const one = async (): Promise<void> => {
    const method = pick(["GET", "HEAD", "POST", "PUT", "DELETE"]);
    const body = method === "GET" || method === "HEAD" ? undefined : Buffer.alloc(below(pick([1, 100, 200_000])), String(below(10)));
    const size = below(pick([1, 100, 300_000]));
    const path = pick(["/length", "/chunked", "/empty"]);
    const fields = { ":method": method, ":path": `${path}?size=${size}`, ...(body && below(2) === 0 && { "content-length": body.length }) };
    const answer = await ask(client, fields, body);
    expect(answer.status).toBe(path === "/empty" ? 204 : 200);
    expect(answer.fields["x-got"]).toBe(hash(body ?? Buffer.alloc(0)));
    expect(answer.body.length).toBe(path === "/empty" || method === "HEAD" ? 0 : size);
  };
  for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 50 }, one));
  const { counters, front } = world.proxy;
  expect([counters.requests, counters.cutResponses, [...counters.ownAnswers]]).toEqual([1000, 0, []]);
  expect([front.http2Connections, front.http2Streams, [...front.refused]]).toEqual([1, 1000, []]);
  await expect.poll(() => world.proxy.connections().clients).toBe(0);
});

test("fields: cookies, bytes beyond ASCII, several of one name, whom it is from, nothing of the connection", async () => {
  let got: readonly string[] = [];
  const world = await openFront((incoming, response) => {
    got = incoming.rawHeaders;
    response.writeHead(200, [
      ...["Set-Cookie", "a=1", "Set-Cookie", "b=2", "Keep-Alive", "timeout=5", "X-Name", "caf\u00e9"],
      ...["Date", "Sun, 22 Nov 2026 00:00:00 GMT", "Content-Length", "2"],
    ]);
    response.end(Buffer.from("ok")); // of text Node would make UTF-8, its head included
  });
  const client = openSession(world);
  const answer = await ask(client, { cookie: ["c=3", "d=4"], te: "trailers", "x-name": "caf\u00e9", "x-forwarded-for": "203.0.113.9" });
  expect(got).toEqual([
    ...["Host", SHOP, "x-name", "caf\u00e9", "cookie", "c=3; d=4"],
    ...["X-Forwarded-For", "127.0.0.1", "X-Forwarded-Proto", "https", "X-Forwarded-Host", SHOP],
  ]);
  expect(Object.fromEntries(Object.entries(answer.fields))).toEqual({
    ":status": 200,
    "set-cookie": ["a=1", "b=2"],
    "x-name": "caf\u00e9",
    date: "Sun, 22 Nov 2026 00:00:00 GMT",
    "content-length": "2",
  });
  expect(String(answer.body)).toBe("ok");
});

test("early hints and 100 Continue come before the response", async () => {
  const world = await openFront((incoming, response) => {
    response.writeEarlyHints({ link: ["</a.css>; rel=preload", "</b.css>; rel=preload"] });
    incoming.resume().on("end", () => response.end("done"));
  });
  const client = openSession(world);
  const stream = client.request({ ":authority": SHOP, ":method": "POST", expect: "100-continue" });
  const early: unknown[] = [];
  stream.on("headers", (fields) => early.push(fields[":status"], fields.link));
  stream.on("continue", () => {
    early.push("continue");
    stream.end("x");
  });
  expect(String((await read(stream)).body)).toBe("done");
  expect(early).toEqual(expect.arrayContaining(["continue", 103, "</a.css>; rel=preload, </b.css>; rel=preload"]));
});

test("large bodies pass both ways at the speed of who reads them", async () => {
  const size = 24 << 20;
  const world = await openFront((incoming, response) => {
    let got = 0;
    incoming.on("data", (piece: Buffer) => {
      got += piece.length;
      incoming.pause();
      setImmediate(() => incoming.resume());
    });
    incoming.on("end", () => {
      response.write(`${got}\n`);
      for (let left = size; left > 0; left -= 1 << 20) response.write(Buffer.alloc(1 << 20));
      response.end();
    });
  });
  const client = openSession(world);
  const stream = client.request({ ":authority": SHOP, ":method": "PUT" });
  const answer = read(stream);
  for (let sent = 0; sent < size; sent += 1 << 16) if (!stream.write(Buffer.alloc(1 << 16))) await once(stream, "drain");
  stream.end();
  const { body } = await answer;
  expect([body.length, String(body.subarray(0, 9))]).toEqual([size + `${size}\n`.length, `${size}\n`]);
});

test("many clients' streams that stop being read hold no memory to speak of, and others go on", async () => {
  const world = await openFront((incoming, response) => {
    if (incoming.url === "/small") return void response.end("small");
    const more = (): void => {
      while (!response.destroyed) if (!response.write(Buffer.alloc(1 << 16))) return void response.once("drain", more);
    };
    more();
  });
  const client = openSession(world);
  const stuck = Array.from({ length: 20 }, () => client.request({ ":authority": SHOP, ":path": "/large" }));
  await Promise.all(stuck.map((stream) => once(stream, "response")));
  for (let i = 0; i < 20; i++) expect(String((await ask(client, { ":path": "/small" })).body)).toBe("small");
  for (const stream of stuck) stream.close(constants.NGHTTP2_CANCEL);
  await expect.poll(() => world.proxy.connections()).toMatchObject({ clients: 0 });
});

test("a request that the client takes back is taken back from the endpoint", async () => {
  let closed = 0;
  const world = await openFront((_, response) => response.on("close", () => closed++));
  const client = openSession(world);
  const stream = client.request({ ":authority": SHOP });
  await expect.poll(() => world.proxy.connections().open).toBe(1);
  stream.close(constants.NGHTTP2_CANCEL);
  await expect.poll(() => closed).toBe(1);
  expect(world.proxy.connections()).toMatchObject({ clients: 0, open: 0 });
});

test("a response that breaks off resets its stream and no other", async () => {
  let finish = (): void => {};
  const world = await openFront((incoming, response) => {
    if (incoming.url === "/fine") finish = () => response.end("fine");
    else response.write("x".repeat(100), () => incoming.socket.resetAndDestroy());
  });
  const client = openSession(world);
  const asked = once(world.upstream, "request");
  const fine = ask(client, { ":path": "/fine" });
  await asked;
  const stream = client.request({ ":authority": SHOP, ":path": "/broken" });
  stream.on("error", () => {});
  stream.resume();
  await new Promise((resolve) => stream.on("close", resolve));
  expect(stream.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  finish();
  expect(String((await fine).body)).toBe("fine");
});

test("answers of our own: no route, another certificate's host, a body too large", async () => {
  const world = await openFront(echo, { tls: tlsSettings() }, { maxBody: 1000 });
  const client = openSession(world);
  const statuses = [
    await ask(client, { ":authority": `a.${SHOP}` }),
    await ask(client, { ":authority": "other.example.org" }),
    await ask(client, { ":authority": "example.net" }),
    await ask(client, { ":method": "POST" }, Buffer.alloc(1001)),
    await ask(client, { ":method": "CONNECT", ":path": undefined, ":scheme": undefined }).catch(() => ({ status: 501 })),
  ].map(({ status }) => status);
  expect(statuses).toEqual([200, 421, 421, 413, 501]);
});

test("streams beyond what the proxy has are refused, and counted", async () => {
  const world = await openFront(() => {}, { tls: tlsSettings() }, { clients: 2 });
  const client = openSession(world);
  for (let i = 0; i < 2; i++) client.request({ ":authority": SHOP }).on("error", () => {});
  await expect.poll(() => world.proxy.connections().clients).toBe(2);
  const third = client.request({ ":authority": SHOP }).on("error", () => {});
  await new Promise((resolve) => third.on("close", resolve));
  expect(third.rstCode).toBe(constants.NGHTTP2_REFUSED_STREAM);
  expect([...world.proxy.front.refused]).toEqual([["full", 1]]);
});

test("draining: the client is told, what is being answered ends, and a request more is refused", async () => {
  let finish = (): void => {};
  const world = await openFront((_, response) => {
    response.write("begun ");
    finish = () => response.end("ended");
  });
  const client = openSession(world);
  const asked = ask(client);
  await expect.poll(() => world.proxy.connections().open).toBe(1);
  const goAway = once(client, "goaway");
  const closed = world.proxy.close(ms(10_000));
  expect((await goAway)[0]).toBe(constants.NGHTTP2_NO_ERROR);
  expect(world.proxy.connections().clients).toBe(1);
  finish();
  expect(String((await asked).body)).toBe("begun ended");
  await closed;
});

describe("by hand", () => {
  const speak = async (world: FrontWorld) => {
    const socket = await openTls(world, { ALPNProtocols: ["h2"] });
    onTestFinished(() => void socket.destroy());
    const pieces: Buffer[] = [];
    socket.on("data", (piece: Buffer) => pieces.push(piece));
    return { socket, got: () => Buffer.concat(pieces) };
  };
  /** The code that the proxy closes the connection with. */
  const closedWith = async (
    world: FrontWorld,
    said: (send: (bytes: Buffer) => void, received: () => number) => unknown,
  ): Promise<number | undefined> => {
    const { socket, got } = await speak(world);
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.write(Buffer.concat([PREFACE, settings()]));
    await said(
      (bytes) => void socket.write(bytes),
      () => got().length,
    );
    await closed;
    return goAwayCode(got());
  };
  const streams = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => 2 * i + 1);
  const { NGHTTP2_ENHANCE_YOUR_CALM: CALM } = constants;

  test("streams opened and taken back without end: told to calm down, and no endpoint is bothered", async () => {
    let asked = 0;
    const world = await openFront(() => asked++);
    const flood = Buffer.concat(
      streams(900).flatMap((id) => [frame(FrameType.Headers, Flag.EndHeaders | Flag.EndStream, id, get(SHOP)), resetStream(id, 8)]),
    );
    expect(await closedWith(world, (send) => send(flood))).toBe(CALM);
    expect([...world.proxy.front.refused]).toEqual([["http2-resets", 1]]);
    expect(asked).toBeLessThan(150);
    expect(world.proxy.connections().clients).toBe(0);
  });

  test("streams that the client makes us reset are no other", async () => {
    const world = await openFront(() => {});
    const zero = Buffer.alloc(4); // a window update of zero is an error of the stream
    const flood = streams(900).flatMap((id) => [
      frame(FrameType.Headers, Flag.EndHeaders | Flag.EndStream, id, get(SHOP)),
      frame(FrameType.WindowUpdate, 0, id, zero),
    ]);
    await closedWith(world, (send) => send(Buffer.concat(flood)));
    expect([...world.proxy.front.refused]).toEqual([["http2-frames", 1]]);
  });

  test("pings without end: those that are read and those that are not", async () => {
    const world = await openFront(echo);
    const pings = (count: number): Buffer =>
      Buffer.concat(Array.from({ length: count }, () => frame(FrameType.Ping, 0, 0, Buffer.alloc(8))));
    const code = await closedWith(world, async (send, received) => {
      for (let sent = 0; sent < 1000; sent += 250) {
        const before = received();
        send(pings(250));
        await expect.poll(received).toBeGreaterThanOrEqual(before + pings(250).length);
      }
      send(pings(250));
    });
    expect([code, [...world.proxy.front.refused]]).toEqual([CALM, [["http2-pings", 1]]]);
    await closedWith(world, (send) => send(pings(4000))); // nghttp2 has its own bound for what is to be answered
    expect(world.proxy.front.http2Connections).toBe(2);
  });

  test("settings without end", async () => {
    const world = await openFront(echo);
    expect(await closedWith(world, (send) => send(Buffer.concat(Array.from({ length: 200 }, () => settings()))))).toBe(CALM);
    expect(world.proxy.front.refused.get("http2-settings")).toBe(1);
  });

  test("frames of data without a byte, and fields that never end", async () => {
    const world = await openFront(echo);
    const post = fieldBlock({ ":method": "POST", ":scheme": "https", ":path": "/", ":authority": SHOP });
    await closedWith(world, (send) => {
      send(frame(FrameType.Headers, Flag.EndHeaders, 1, post));
      send(Buffer.concat(Array.from({ length: 2000 }, () => frame(FrameType.Data, 0, 1))));
    });
    await closedWith(world, (send) => {
      send(frame(FrameType.Headers, 0, 1, post));
      send(
        Buffer.concat(
          Array.from({ length: 2000 }, (_, i) => frame(FrameType.Continuation, 0, 1, fieldBlock({ [`x${i}`]: "a".repeat(100) }))),
        ),
      );
    });
    expect(world.proxy.front.refused.get("http2-frames")).toBe(2);
    await expect.poll(() => world.proxy.connections().clients).toBe(0);
  });

  test("a client that asks and never lets a byte come is given up", async () => {
    const timeouts = { ...PROXY_SETTINGS.timeouts, client: ms(2000) };
    const world = await openFront((_, response) => response.end("x".repeat(5000)), { tls: tlsSettings() }, { timeouts });
    const { socket } = await speak(world);
    socket.write(Buffer.concat([PREFACE, settings([[INITIAL_WINDOW, 0]])]));
    for (const id of streams(50)) socket.write(frame(FrameType.Headers, Flag.EndHeaders | Flag.EndStream, id, get(SHOP)));
    await expect.poll(() => world.proxy.counters.requests).toBe(50);
    expect(world.proxy.connections().clients).toBe(50);
    await expect.poll(() => world.proxy.connections().clients).toBe(0);
    expect(socket.destroyed).toBe(false);
  });

  test("a client that never ends does not keep a proxy from ending, whoever has left before", async () => {
    const world = await openFront(echo);
    const first = openSession(world);
    expect((await ask(first)).status).toBe(200);
    const left = once(first, "close");
    first.close();
    await left;
    const { socket } = await speak(world);
    socket.allowHalfOpen = true;
    socket.write(Buffer.concat([PREFACE, settings()]));
    await expect.poll(() => world.proxy.front.http2Connections).toBe(2);
    await world.proxy.close(ms(0));
    // what it says is answered by a reset: nobody is there any more
    const isCut = (): boolean => {
      socket.write(frame(FrameType.Ping, 0, 0, Buffer.alloc(8)));
      return socket.destroyed;
    };
    await expect.poll(isCut).toBe(true);
  });

  test.each([
    { name: "an answer that the client never takes", method: "GET", window: 0, flags: Flag.EndHeaders | Flag.EndStream, code: CALM },
    { name: "HEAD that does not end", method: "HEAD", window: 65_535, flags: Flag.EndHeaders, code: constants.NGHTTP2_NO_ERROR },
  ])("a refused request does not hold its stream: $name", async ({ method, window, flags, code }) => {
    const world = await openFront(echo, { tls: tlsSettings({ http2: { ...HTTP2_SETTINGS, refusal: ms(300) } }) });
    const { socket, got } = await speak(world);
    const bad = fieldBlock({ ":method": method, ":scheme": "ftp", ":path": "/", ":authority": SHOP });
    socket.write(Buffer.concat([PREFACE, settings([[INITIAL_WINDOW, window]]), frame(FrameType.Headers, flags, 1, bad)]));
    const reset = resetStream(1, code);
    await expect.poll(() => got().includes(reset)).toBe(true);
    expect([...world.proxy.front.refused]).toEqual([["http2-request", 1]]);
  });

  test("a connection without a stream does not last", async () => {
    // one wait is short at a time: on a busy machine the other is not to end before its time
    const withWaits = (waits: { readonly first: Milliseconds } | { readonly idle: Milliseconds }): Promise<FrontWorld> =>
      openFront(echo, { tls: tlsSettings({ http2: { ...HTTP2_SETTINGS, ...waits } }) });
    const { socket } = await speak(await withWaits({ first: ms(300) }));
    socket.write(Buffer.concat([PREFACE, settings()]));
    await once(socket, "close");
    const client = openSession(await withWaits({ idle: ms(300) }));
    expect((await ask(client)).status).toBe(200);
    await once(client, "close");
  });

  const odd: readonly { readonly name: string; readonly fields: Readonly<Record<string, string>> }[] = [
    { name: "a line's end in a value", fields: { "x-a": "b\r\nHost: other.example.org" } },
    { name: "a zero byte in a value", fields: { "x-a": "b\0c" } },
    { name: "a field of connections", fields: { connection: "close" } },
    { name: "chunks", fields: { "transfer-encoding": "chunked" } },
    { name: "a capital letter", fields: { "X-A": "b" } },
    { name: "another host", fields: { host: "other.example.org" } },
    { name: "a request line in the path", fields: { ":path": "/ HTTP/1.1\r\nHost: a\r\n\r\nGET /smuggled" } },
    { name: "a length without a body", fields: { "content-length": "5" } },
    { name: "a URL for a path", fields: { ":path": "http://other.example.org/" } },
  ];
  /** nghttp2 leaves these out, and passes on the rest of the request. */
  const LEFT_OUT = 2;
  test("what HTTP/1.1 would read otherwise reaches nobody", async () => {
    const seen: string[] = [];
    const world = await openFront((incoming, response) => {
      seen.push(`${incoming.url} ${incoming.headers.host} ${incoming.headers["x-a"]}`);
      response.end();
    });
    for (const { fields } of odd) {
      const { socket, got } = await speak(world);
      const pseudo = { ":method": "GET", ":scheme": "https", ":path": "/", ":authority": SHOP };
      socket.write(
        Buffer.concat([
          PREFACE,
          settings(),
          frame(FrameType.Headers, Flag.EndHeaders | Flag.EndStream, 1, fieldBlock({ ...pseudo, ...fields })),
        ]),
      );
      // told by a reset or an answer of ours, of stream 1
      await expect.poll(() => streamEnded(got())).toBe(true);
      socket.destroy();
    }
    expect(seen).toEqual(Array.from({ length: LEFT_OUT }, () => `/ ${SHOP} undefined`));
  });

  test("more data than its length says resets the stream, and the endpoint gets no whole request", async () => {
    let whole = 0;
    const world = await openFront((incoming, response) => {
      incoming
        .resume()
        .on("end", () => whole++)
        .on("error", () => {});
      response.on("close", () => {});
    });
    const { socket, got } = await speak(world);
    const post = fieldBlock({ ":method": "POST", ":scheme": "https", ":path": "/", ":authority": SHOP, "content-length": "5" });
    socket.write(Buffer.concat([PREFACE, settings(), frame(FrameType.Headers, Flag.EndHeaders, 1, post)]));
    socket.write(frame(FrameType.Data, 0, 1, Buffer.from("hel")));
    socket.write(frame(FrameType.Data, Flag.EndStream, 1, Buffer.from("looo, GET /smuggled")));
    await expect.poll(() => streamEnded(got())).toBe(true);
    await expect.poll(() => world.proxy.connections().clients).toBe(0);
    expect(whole).toBe(0);
  });
});

/** Stream 1 was reset, or answered to its end, or the connection was closed. */
function streamEnded(bytes: Buffer): boolean {
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
    const [type, flags, stream] = [bytes[at + 3]!, bytes[at + 4]!, bytes.readUInt32BE(at + 5)];
    if (type === FrameType.GoAway || (stream === 1 && type === FrameType.ResetStream)) return true;
    if (stream === 1 && (type === FrameType.Data || type === FrameType.Headers) && (flags & Flag.EndStream) !== 0) return true;
  }
  return false;
}
