/** `check zone` against real sockets: one small server plays the recursive resolver, others the nameservers. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { type Answer, decode, encode } from "dns-packet";
import { afterEach, expect, test } from "vitest";
import { runCli } from "../../../test/support/run-cli.ts";

const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.close();
});

/** `example.org NS` → answers; anything else is NXDOMAIN. */
async function serve(records: Readonly<Record<string, readonly string[] | number>>, address = "127.0.0.1", port = 0): Promise<number> {
  const socket = createSocket("udp4");
  open.push(socket);
  socket.on("message", (message, from) => {
    const query = decode(message);
    const [question] = query.questions ?? [];
    const held = question === undefined ? undefined : records[`${question.name} ${question.type}`];
    const answers: Answer[] = [];
    if (question !== undefined && typeof held === "number") {
      const data = { mname: "ns1.example.net", rname: "hostmaster.example.org", serial: held, refresh: 1, retry: 1, expire: 1, minimum: 1 };
      answers.push({ name: question.name, type: "SOA", ttl: 1, data });
    } else if (question !== undefined && typeof held === "object") {
      const type = question.type === "NS" ? "NS" : "A";
      for (const data of held) answers.push({ name: question.name, type, ttl: 1, data });
    }
    const rcode = held === undefined ? 3 : 0;
    socket.send(
      encode({ type: "response", id: query.id ?? 0, flags: 0x8400 | rcode, questions: query.questions ?? [], answers }),
      from.port,
      from.address,
    );
  });
  socket.bind(port, address);
  await once(socket, "listening");
  return socket.address().port;
}

const ZONE = { "example.org SOA": 7, "example.org NS": ["ns1.example.net", "ns2.example.net"] };
const WORLD = {
  "example.org NS": ["NS2.example.net", "ns1.example.net"],
  "ns1.example.net A": ["127.0.0.1"],
  "ns2.example.net A": ["127.0.0.2"],
};

/** Our server and two nameservers on one port, and a resolver. */
async function check(world: Parameters<typeof serve>[0], second: Parameters<typeof serve>[0] = ZONE, ...more: string[]) {
  const port = await serve(ZONE);
  await serve(second, "127.0.0.2", port);
  const resolver = await serve(world);
  return runCli([
    "check",
    "zone",
    "Example.org.",
    "--nameserver",
    `127.0.0.1:${port}`,
    "--resolver",
    `127.0.0.1:${resolver}`,
    "--port",
    String(port),
    ...more,
  ]);
}

test("a sound delegation exits 0 and says what was compared", async () => {
  const { code, stdout } = await check(WORLD);
  expect(stdout).toMatch(/^ok {3}our server 127\.0\.0\.1:\d+ answers for example\.org: serial 7, ns1\.example\.net, ns2\.example\.net\n/);
  expect(stdout).toContain("ok   the delegation and our server name the same nameservers\n");
  expect(stdout).toContain("ok   ns2.example.net (127.0.0.2) answers with serial 7\n");
  expect(code).toBe(0);
});

test("a nameserver with another serial exits 1", async () => {
  const { code, stdout } = await check(WORLD, { ...ZONE, "example.org SOA": 6 });
  expect(code).toBe(1);
  expect(stdout).toMatch(/^FAIL ns2\.example\.net \(127\.0\.0\.2\) answers with serial 6, our server with 7/m);
});

test("a zone that nobody delegates exits 1, in JSON too", async () => {
  const { code, stdout } = await check({}, ZONE, "--output", "json");
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    zone: "example.org",
    ok: false,
    verdicts: [{ ok: true }, { ok: false, text: expect.stringContaining("no such name") }],
  });
});

test("a domain that is none is bad usage", async () => {
  expect((await runCli(["check", "zone", "exa mple"])).code).toBe(2);
});
