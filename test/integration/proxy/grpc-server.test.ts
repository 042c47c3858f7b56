/** Our server of gRPC, asked by the client that everybody uses and by clients that do it wrong. */
import { once } from "node:events";
import { connect } from "node:http2";
import { connect as connectTcp } from "node:net";
import { Client, credentials } from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import { createGrpcServer, GrpcStatus, type Keepalive } from "../../../src/proxy/envoy/grpc-server.ts";
import { readCertificates } from "../../support/tls/certificates.ts";

const HEADERS = { ":method": "POST", ":path": "/echo", "content-type": "application/grpc", te: "trailers" };

/** `/echo` sends back what it is sent, in two parts; `/end` ends at the first message. */
async function start(keepalive?: Keepalive) {
  const ended = { echo: 0, end: 0 };
  const server = createGrpcServer(
    undefined,
    new Map([
      [
        "/echo",
        (stream) => ({
          onMessage: (message) => stream.send(Buffer.from(message.subarray(0, 2)), Buffer.from(message.subarray(2))),
          onEnd: () => ended.echo++,
        }),
      ],
      ["/end", (stream) => ({ onMessage: () => stream.end(GrpcStatus.INVALID_ARGUMENT, "not 100% right"), onEnd: () => ended.end++ })],
    ]),
    keepalive,
  );
  const { port } = await server.start({ address: "127.0.0.1", port: 0 });
  onTestFinished(() => server.close());
  return { port, ended };
}

function call(port: number, path: string) {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  const same = (bytes: Buffer): Buffer => bytes;
  const stream = client.makeBidiStreamRequest<Buffer, Buffer>(path, same, same);
  const ended = new Promise<string>((resolve) => {
    stream.on("error", ({ message }) => resolve(message));
    stream.on("end", () => resolve("ended"));
  });
  return { stream, ended };
}

test("messages of any size go both ways, and either side ends", async () => {
  const { port, ended } = await start();
  const { stream, ended: end } = call(port, "/echo");
  for (const size of [0, 1, 2, 3, 70_000, 3_000_000, 5]) {
    const message = Buffer.alloc(size, size);
    stream.write(message);
    const [back] = (await once(stream, "data")) as [Buffer];
    expect(back.equals(message)).toBe(true);
  }
  stream.end();
  expect(await end).toBe("ended");
  await expect.poll(() => ended.echo).toBeGreaterThan(0);
  const other = call(port, "/end");
  other.stream.write(Buffer.from("x"));
  expect(await other.ended).toBe("3 INVALID_ARGUMENT: not 100% right");
});

test("a method that there is not", async () => {
  const { port } = await start();
  const { stream, ended } = call(port, "/other");
  stream.resume();
  expect(await ended).toMatch(/^12 UNIMPLEMENTED/);
});

test.each([
  ["what is no gRPC", { ...HEADERS, "content-type": "text/plain" }, "", "415 undefined"],
  ["compressed messages", HEADERS, "0100000000", "200 12"],
  ["messages beyond all measure", HEADERS, "00ffffffff", "200 8"],
])("%s is refused", async (_, headers, hex, told) => {
  const { port } = await start();
  const session = connect(`http://127.0.0.1:${port}`);
  onTestFinished(() => session.destroy());
  const stream = session.request(headers, { endStream: false });
  stream.write(Buffer.from(hex, "hex"));
  let status = 0;
  let grpcStatus: unknown;
  stream.on("response", (head) => {
    status = head[":status"] ?? 0;
  });
  stream.on("trailers", (trailers) => {
    grpcStatus = trailers["grpc-status"];
  });
  stream.resume();
  await expect.poll(() => `${status} ${grpcStatus}`).toBe(told);
});

test("who is silent is asked; who does not answer is gone", async () => {
  // who answers is in this process, too, which may stand still for a while
  const { port, ended } = await start({ silence: 50, patience: 2000 });
  const { stream } = call(port, "/echo");
  stream.write(Buffer.from("here"));
  await once(stream, "data");
  const mute = connectTcp(port, "127.0.0.1");
  mute.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  mute.write(Buffer.from("000000040000000000", "hex")); // SETTINGS, and never a word again
  mute.resume();
  await once(mute, "close");
  stream.write(Buffer.from("still here"));
  await once(stream, "data");
  expect(ended.echo).toBe(0);
});

test("who does not get through TLS is told of, and who only looks whether somebody listens is not", async () => {
  const { ca, key, cert } = readCertificates();
  const [clientCa, keyPem, certificate] = [ca, key, cert].map((text) => Buffer.from(text));
  const told: string[] = [];
  // Its own certificate as the authority: nobody's certificate is signed by it.
  const tls = { certificate: certificate!, key: keyPem!, clientCa: certificate! };
  const server = createGrpcServer(tls, new Map(), undefined, (why) => told.push(why));
  const trusting = createGrpcServer({ ...tls, clientCa: clientCa! }, new Map(), undefined, (why) => told.push(why));
  onTestFinished(async () => void (await Promise.all([server.close(), trusting.close()])));
  const { port } = await server.start({ address: "127.0.0.1", port: 0 });
  const { port: trustingPort } = await trusting.start({ address: "127.0.0.1", port: 0 });
  const looker = connectTcp(port, "127.0.0.1");
  await once(looker, "connect");
  looker.destroy();
  for (const session of [
    connect(`https://127.0.0.1:${port}`, { ca, key, cert, servername: "shop.example.org" }),
    connect(`https://127.0.0.1:${trustingPort}`, { ca, servername: "shop.example.org" }),
    connect(`http://127.0.0.1:${port}`),
  ]) {
    session.on("error", () => {});
    onTestFinished(() => session.destroy());
  }
  await expect.poll(() => told).toHaveLength(3);
  expect(told.toSorted()).toEqual([
    "it does not speak TLS",
    "it shows no certificate",
    expect.stringMatching(/^its certificate is not one that --xds-client-ca stands for \(/),
  ]);
});

test("it ends at once, whoever is connected and however far", async () => {
  const { ca, key, cert } = readCertificates();
  const [clientCa, keyPem, certificate] = [ca, key, cert].map((text) => Buffer.from(text));
  const server = createGrpcServer({ certificate: certificate!, key: keyPem!, clientCa: clientCa! }, new Map());
  const { port } = await server.start({ address: "127.0.0.1", port: 0 });
  const mute = connectTcp(port, "127.0.0.1");
  onTestFinished(() => void mute.destroy());
  await once(mute, "connect");
  const friend = connect(`https://127.0.0.1:${port}`, { ca, key, cert, servername: "shop.example.org" });
  await once(friend, "connect");
  const gone = [mute, friend].map((one) => once(one, "close"));
  mute.on("error", () => {});
  friend.on("error", () => {});
  await server.close();
  await Promise.all(gone);
});
