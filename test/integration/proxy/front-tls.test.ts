/** TLS and the PROXY protocol in front of the embedded proxy, asked by curl, by openssl and by Node. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { connect } from "node:tls";
import { describe, expect, test } from "vitest";
import { parseNetwork } from "../../../src/model/ip.ts";
import { ms } from "../../../src/model/units.ts";
import { indexCertificates } from "../../../src/proxy/embedded/front/certificate-index.ts";
import { NO_PLACE_LIMITS } from "../../../src/proxy/embedded/front/front-settings.ts";
import { requireComponent } from "../../support/component.ts";
import { openFront } from "../../support/http1/front-in-test.ts";
import { CA, type FrontWorld, openPlain, openTls, readAll, SHOP, tlsSettings } from "../../support/http1/front-world.ts";

/** Says what it was asked, once it was asked to the end: curl 7 waits for ever when half of a body is answered. */
const tell: RequestListener = (incoming, response) => {
  const { headers, method } = incoming;
  const text = `${method} ${headers.host} ${headers["x-forwarded-for"]} ${headers["x-forwarded-proto"]}`;
  incoming.resume().on("end", () => response.end(text));
};
const get = (host = SHOP): string => `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
/** Of a proxy that nobody but the silent comes to: others might be late on a busy machine. */
const HASTE = ms(200);
const caFile = new URL("../../support/tls/ca.pem", import.meta.url).pathname;

const hasCurl = requireComponent("http-clients", "curl");
const hasOpenssl = requireComponent("http-clients", "openssl");
const run = (command: string, args: readonly string[]): Promise<string> =>
  new Promise((resolve) => {
    const child = execFile(command, args, { timeout: 20_000 }, (error, stdout, stderr) =>
      resolve(`${error?.code ?? 0} ${stdout}${stderr}`),
    );
    child.stdin?.end();
  });

describe("clients that others made", () => {
  const curl = ({ proxy }: FrontWorld, host: string, ...more: string[]): Promise<string> =>
    run("curl", ["-sS", "--cacert", caFile, "--resolve", `${host}:${proxy.port}:127.0.0.1`, ...more, `https://${host}:${proxy.port}/`]);

  // a curl without HTTP/2 cannot ask so: it is not ours to install
  test.skipIf(!hasCurl)("curl, by HTTP/2 and HTTP/1.1, with a body and without, several at once", async () => {
    const world = await openFront(tell);
    const authority = `${SHOP}:${world.proxy.port}`;
    for (const version of ["--http2", "--http1.1"]) {
      const say = ["-w", " %{http_version}", version];
      const spoken = version === "--http2" ? "2" : "1.1";
      expect(await curl(world, SHOP, ...say)).toBe(`0 GET ${authority} 127.0.0.1 https ${spoken}`);
      expect(await curl(world, SHOP, ...say, "--data-binary", "x".repeat(100_000))).toBe(`0 POST ${authority} 127.0.0.1 https ${spoken}`);
      expect(await curl(world, SHOP, "-I", version)).toContain("200");
    }
    const url = `https://${authority}/`;
    const many = await run("curl", [
      "-sSZ",
      "--http2",
      "--cacert",
      caFile,
      "--resolve",
      `${authority}:127.0.0.1`,
      ...Array.from({ length: 40 }, () => url),
    ]);
    expect(many.match(/GET /g)).toHaveLength(40);
    expect(world.proxy.front.http2Connections).toBeLessThan(10);
  });

  test.skipIf(!hasCurl)("curl for a host without a certificate: the handshake fails, and it is counted", async () => {
    const world = await openFront(tell);
    expect(await curl(world, "stranger.example.org")).toMatch(/^35 .*unrecognized name/s);
    expect([...world.proxy.front.refused]).toEqual([["no-certificate", 1]]);
  });

  test.skipIf(!hasCurl)("curl learns of a response that breaks off, by HTTP/2 and HTTP/1.1", async () => {
    const world = await openFront((incoming, response) => void response.write("begun", () => incoming.socket.resetAndDestroy()));
    for (const version of ["--http2", "--http1.1"]) expect(await curl(world, SHOP, version)).not.toMatch(/^0 /);
    expect(world.proxy.counters.cutResponses).toBe(2);
  });

  test.skipIf(!hasOpenssl)("openssl: which certificate, which version, and sessions that are taken up again", async () => {
    const world = await openFront(tell);
    const client = (...more: string[]): Promise<string> =>
      run("openssl", ["s_client", "-connect", `127.0.0.1:${world.proxy.port}`, ...more]);
    expect(await client("-servername", "other.example.org")).toContain("subject=CN = other.example.org");
    expect(await client("-noservername")).toContain("subject=CN = shop.example.org");
    expect(await client("-servername", SHOP, "-tls1_2")).toContain("Protocol  : TLSv1.2");
    expect(await client("-servername", SHOP, "-tls1_1")).not.toContain("subject=");
    expect(await client("-servername", SHOP, "-alpn", "h2,http/1.1")).toContain("ALPN protocol: h2");
    expect(await client("-servername", SHOP, "-tls1_2", "-reconnect")).toContain("Reused, TLSv1.2");
  });
});

describe("certificates", () => {
  test("each name gets its own; a host of another certificate is told to come again (421)", async () => {
    const world = await openFront(tell);
    const answers = [];
    for (const host of [SHOP, `a.${SHOP}`, "other.example.org"]) {
      const socket = await openTls(world);
      socket.write(get(host));
      answers.push((await readAll(socket)).slice(9, 12));
    }
    expect(answers).toEqual(["200", "200", "421"]);
    const other = await openTls(world, { servername: "other.example.org", rejectUnauthorized: false });
    expect(other.getPeerCertificate().subject.CN).toBe("other.example.org");
    other.write(get("other.example.org"));
    expect((await readAll(other)).slice(9, 12)).toBe("200");
  });

  test("a session that is taken up again knows its certificate, and new ones are used at once", async () => {
    let isThere = true;
    const all = tlsSettings();
    const world = await openFront(tell, { tls: { ...all, certificates: () => (isThere ? all.certificates() : indexCertificates([])) } });
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const first = connect({ port: world.proxy.port, host: "127.0.0.1", servername: SHOP, ca: CA, maxVersion });
      const session = once(first, "session");
      await once(first, "secureConnect");
      first.write(get());
      await readAll(first);
      const again = await openTls(world, { maxVersion, session: (await session)[0] });
      expect(again.isSessionReused()).toBe(true);
      again.write(get("other.example.org"));
      expect((await readAll(again)).slice(9, 12)).toBe("421");
    }
    isThere = false;
    await expect(openTls(world)).rejects.toThrow(/unrecognized name/);
  });

  test("who names nobody gets nothing where there is no default", async () => {
    const certificates = tlsSettings().certificates();
    const world = await openFront(tell, { tls: tlsSettings({ certificates: () => ({ ...certificates, unnamed: undefined }) }) });
    await expect(openTls(world, { servername: "" })).rejects.toThrow(/handshake failure/);
  });
});

describe("whoever does not come to a handshake", () => {
  test("says nothing, or no TLS: closed", async () => {
    const world = await openFront(tell);
    const plain = await openPlain(world);
    plain.write(get());
    await readAll(plain);
    expect([...world.proxy.front.refused]).toEqual([["handshake-failed", 1]]);
    const hasty = await openFront(tell, { tls: tlsSettings({ handshakeTimeout: HASTE }) });
    await readAll(await openPlain(hasty));
    expect([...hasty.proxy.front.refused]).toEqual([["handshake-timeout", 1]]);
  });

  test("one more than may be at it is closed", async () => {
    const world = await openFront(tell, { tls: tlsSettings({ handshakes: 2 }) });
    const [first] = await Promise.all([openPlain(world), openPlain(world)]);
    await readAll(await openPlain(world));
    expect([...world.proxy.front.refused]).toEqual([["too-many-handshakes", 1]]);
    first.destroy();
    await expect
      .poll(() =>
        openTls(world).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
  });
});

describe("the PROXY protocol", () => {
  const proxyProtocol = { from: [], timeout: ms(20_000) };
  const V1 = "PROXY TCP4 203.0.113.9 192.0.2.1 50000 443\r\n";

  test("the client is who the header says, in one piece or byte by byte, before HTTP/1.1 and before TLS", async () => {
    const plain = await openFront(tell, { proxyProtocol });
    const whole = await openPlain(plain);
    whole.write(V1 + get());
    expect(await readAll(whole)).toContain(`GET ${SHOP} 203.0.113.9 http`);
    const pieces = await openPlain(plain);
    pieces.setNoDelay(true);
    for (const letter of V1) {
      pieces.write(letter);
      await new Promise((resolve) => setImmediate(resolve));
    }
    pieces.write(get());
    expect(await readAll(pieces)).toContain(`GET ${SHOP} 203.0.113.9 http`);

    const tls = await openFront(tell, { proxyProtocol, tls: tlsSettings() });
    for (const together of [true, false]) {
      const raw = await openPlain(tls);
      if (together) raw.cork();
      raw.write(V1);
      const socket = connect({ socket: raw, servername: SHOP, ca: CA });
      if (together) raw.uncork();
      await once(socket, "secureConnect");
      socket.write(get());
      expect(await readAll(socket)).toContain(`GET ${SHOP} 203.0.113.9 https`);
    }
  });

  test("the balancer's own requests are its own", async () => {
    const world = await openFront(tell, { proxyProtocol });
    const socket = await openPlain(world);
    socket.write(Buffer.concat([Buffer.from("0d0a0d0a000d0a515549540a20000000", "hex"), Buffer.from(get())]));
    expect(await readAll(socket)).toContain(`GET ${SHOP} 127.0.0.1 http`);
  });

  test("nobody comes without it, or with a bad one, or later, or from elsewhere", async () => {
    const world = await openFront(tell, { proxyProtocol });
    for (const says of [get(), "PROXY TCP4 203.0.113.9\r\n"]) {
      const socket = await openPlain(world);
      socket.write(says);
      expect(await readAll(socket)).toBe("");
    }
    const hasty = await openFront(tell, { proxyProtocol: { ...proxyProtocol, timeout: HASTE } });
    expect(await readAll(await openPlain(hasty))).toBe("");
    const elsewhere = await openFront(tell, { proxyProtocol: { ...proxyProtocol, from: [parseNetwork("192.0.2.0/24")!] } });
    expect(await readAll(await openPlain(elsewhere))).toBe("");
    expect([world, hasty, elsewhere].flatMap(({ proxy }) => [...proxy.front.refused])).toEqual([
      ["bad-proxy-header", 2],
      ["proxy-header-timeout", 1],
      ["proxy-header-from-stranger", 1],
    ]);
  });

  test("places are the client's, not the balancer's", async () => {
    const world = await openFront(tell, { proxyProtocol, places: { places: 1, silent: 1 } });
    const [first, second, again] = [await openPlain(world), await openPlain(world), await openPlain(world)];
    first.write(V1);
    second.write(V1.replace("203.0.113.9", "203.0.113.10"));
    await expect.poll(() => world.proxy.connections().clients).toBe(2);
    again.write(V1);
    await readAll(again);
    expect([...world.proxy.front.refused]).toEqual([["too-many-of-one-client", 1]]);
  });
});

describe("what one client holds", () => {
  test("no more than its places; behind proxies that are trusted there is no bound", async () => {
    const world = await openFront(tell, { places: { places: 10, silent: 5 } });
    const silent = await Promise.all(Array.from({ length: 5 }, () => openPlain(world)));
    await expect.poll(() => world.proxy.connections().clients).toBe(5);
    await readAll(await openPlain(world));
    for (const socket of silent) socket.write(`GET / HTTP/1.1\r\nHost: ${SHOP}\r\n\r\n`);
    await expect.poll(() => world.proxy.counters.requests).toBe(5);
    await Promise.all(Array.from({ length: 5 }, () => openPlain(world)));
    await expect.poll(() => world.proxy.connections().clients).toBe(10);
    await readAll(await openPlain(world));
    expect([...world.proxy.front.refused]).toEqual([
      ["too-many-silent-of-one-client", 1],
      ["too-many-of-one-client", 1],
    ]);
    const unbound = await openFront(tell, { places: NO_PLACE_LIMITS });
    await Promise.all(Array.from({ length: 50 }, () => openPlain(unbound)));
    await expect.poll(() => unbound.proxy.connections().clients).toBe(50);
  });
});
