import type { ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { readCertificates } from "../../test/support/tls/certificates.ts";
import type { KubeApi, WatchEvent } from "./kube-api.ts";
import { type Credential, type KubeConnection, staticConnection } from "./kube-connection.ts";
import { KubeError } from "./kube-error.ts";
import type { KubeObject } from "./kube-object.ts";
import { type KubeApiOptions, openKubeApi } from "./open-kube-api.ts";
import { GLOBAL_ROUTES, INGRESSES, NAMESPACES, SERVICES } from "./resources.ts";
import { simulatedPorts } from "./support/simulated-ports.ts";
import { json, type StubRequest, type StubServer, startStub, statusBody } from "./support/stub-server.ts";

const TOKEN = "s3cret-t0ken";
const certificates = readCertificates();
const clock = createSimulatedClock();
const ports = simulatedPorts(clock);
const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

async function start(
  answer: (request: StubRequest, response: ServerResponse) => void,
  how: { connection?: Partial<KubeConnection>; options?: Partial<KubeApiOptions> } = {},
): Promise<{ api: KubeApi; stub: StubServer }> {
  const stub = await startStub(answer);
  const connection = { ...staticConnection(stub.url, { token: TOKEN }, { allowHttp: true }), ...how.connection };
  const api = openKubeApi(connection, ports, { userAgent: () => "globalroute/1 (writer epoch 7)", ...how.options });
  opened.unshift(api, stub);
  return { api, stub };
}

async function failure(promise: Promise<unknown>): Promise<KubeError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof KubeError)) throw new Error(`no KubeError, but ${error}`);
  return error;
}

const shop: KubeObject = {
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { namespace: "web", name: "shop", resourceVersion: "5", uid: "u" },
};

describe("requests", () => {
  test("go to the right place with the right body, token and user agent", async () => {
    const { api, stub } = await start((_, response) => json(response, shop));
    await api.get(INGRESSES, "web", "shop");
    await api.create(INGRESSES, shop, { dryRun: true, fieldManager: "globalroute" });
    await api.replace(INGRESSES, shop, { subresource: "status" });
    await api.apply(GLOBAL_ROUTES, shop, { fieldManager: "globalroute", force: true, subresource: "status" });
    await api.mergePatch(NAMESPACES, undefined, "web", { metadata: { labels: { a: null } } });
    await api.delete(SERVICES, "web", "shop", { uid: "u", resourceVersion: "5", propagation: "Background" });
    await api.request("POST", "/api/v1/namespaces/x/serviceaccounts/y/token?dryRun=All", { spec: {} });
    expect(stub.requests.map(({ method, path, query, headers }) => `${method} ${path}?${query} ${headers["content-type"] ?? "-"}`)).toEqual(
      [
        "GET /apis/networking.k8s.io/v1/namespaces/web/ingresses/shop? -",
        "POST /apis/networking.k8s.io/v1/namespaces/web/ingresses?dryRun=All&fieldManager=globalroute application/json",
        "PUT /apis/networking.k8s.io/v1/namespaces/web/ingresses/shop/status? application/json",
        "PATCH /apis/globalroute.dev/v1alpha1/namespaces/web/globalroutes/shop/status?fieldManager=globalroute&force=true application/apply-patch+yaml",
        "PATCH /api/v1/namespaces/web? application/merge-patch+json",
        "DELETE /api/v1/namespaces/web/services/shop? application/json",
        "POST /api/v1/namespaces/x/serviceaccounts/y/token?dryRun=All application/json",
      ],
    );
    expect(JSON.parse(stub.requests[5]?.body ?? "")).toEqual({
      apiVersion: "v1",
      kind: "DeleteOptions",
      preconditions: { uid: "u", resourceVersion: "5" },
      propagationPolicy: "Background",
    });
    expect(JSON.parse(stub.requests[3]?.body ?? "")).toEqual(shop);
    for (const { headers } of stub.requests) {
      expect(headers.authorization).toBe(`Bearer ${TOKEN}`);
      expect(headers["user-agent"]).toBe("globalroute/1 (writer epoch 7)");
    }
  });

  test("share connections", async () => {
    const { api, stub } = await start((_, response) => json(response, shop));
    for (let i = 0; i < 20; i++) await api.get(INGRESSES, "web", "shop");
    expect(stub.connections()).toBeLessThanOrEqual(2); // the answer can be there before its connection is free again
  });

  test("a server below a path, as behind a proxy of clusters", async () => {
    const { stub } = await start((_, response) => json(response, shop));
    const api = openKubeApi(staticConnection(`${stub.url}/k8s/clusters/c-1/`, {}, { allowHttp: true }), ports, { userAgent: () => "x" });
    opened.unshift(api);
    await api.get(INGRESSES, "web", "shop");
    expect(stub.requests[0]?.path).toBe("/k8s/clusters/c-1/apis/networking.k8s.io/v1/namespaces/web/ingresses/shop");
  });

  test("what is not there is undefined, and deleting it is false", async () => {
    const { api } = await start((_, response) => json(response, statusBody(404, "NotFound", 'ingresses "shop" not found'), 404));
    expect(await api.get(INGRESSES, "web", "shop")).toBeUndefined();
    expect(await api.delete(INGRESSES, "web", "shop")).toBe(false);
    expect((await failure(api.list(INGRESSES))).isNotFound).toBe(true);
  });

  test("an answer that is no object is no answer", async () => {
    const { api } = await start((_, response) => void response.end("<html>login</html>"));
    const error = await failure(api.get(INGRESSES, "web", "shop"));
    expect(error.status).toBe(0);
    expect(error.message).toContain("the answer is not JSON. See that this is the address of a Kubernetes API server.");
  });

  test("redirects are not followed: the credential stays with the server it is for", async () => {
    const elsewhere = await startStub((_, response) => json(response, shop));
    opened.unshift(elsewhere);
    const { api } = await start((_, response) => void response.writeHead(307, { location: elsewhere.url }).end());
    expect((await failure(api.get(INGRESSES, "web", "shop"))).status).toBe(307);
    expect(elsewhere.requests).toEqual([]);
  });
});

describe("lists", () => {
  const page = (items: unknown, next = "") => ({
    kind: "IngressList",
    apiVersion: "v1",
    metadata: { resourceVersion: "77", continue: next },
    items,
  });
  const item = (n: number) => ({ metadata: { namespace: "web", name: `i-${n}` } });

  test("are read page by page, and items know what they are", async () => {
    const { api, stub } = await start((request, response) => {
      const from = Number(request.query.get("continue") ?? 0);
      json(
        response,
        page(
          Array.from({ length: 500 }, (_, i) => item(from + i)),
          from < 1000 ? String(from + 500) : "",
        ),
      );
    });
    const { items, resourceVersion } = await api.list(INGRESSES, { labelSelector: "a=b", fieldSelector: "metadata.name=x" });
    expect(items).toHaveLength(1500);
    expect(items[1234]).toEqual({ apiVersion: "networking.k8s.io/v1", kind: "Ingress", ...item(1234) });
    expect(resourceVersion).toBe("77");
    expect(stub.requests.map(({ query }) => query.toString())).toEqual([
      "limit=500&labelSelector=a%3Db&fieldSelector=metadata.name%3Dx",
      "limit=500&continue=500&labelSelector=a%3Db&fieldSelector=metadata.name%3Dx",
      "limit=500&continue=1000&labelSelector=a%3Db&fieldSelector=metadata.name%3Dx",
    ]);
    expect(stub.requests[0]?.path).toBe("/apis/networking.k8s.io/v1/ingresses");
  });

  test("are read anew when their pages get too old, and given up when that goes on", async () => {
    let gone = 1;
    const { api, stub } = await start((request, response) => {
      if (request.query.has("continue") && gone-- > 0) json(response, statusBody(410, "Expired", "too old"), 410);
      else json(response, page([item(1)], request.query.has("continue") ? "" : "next"));
    });
    expect((await api.list(INGRESSES)).items).toHaveLength(2);
    expect(stub.requests).toHaveLength(4);
    gone = 100;
    expect((await failure(api.list(INGRESSES))).isGone).toBe(true);
  });

  test("leave out what is not kept", async () => {
    const { api } = await start((_, response) => json(response, page([item(1), item(2)])));
    const keep = (object: KubeObject) => (object.metadata.name === "i-1" ? undefined : { ...object, spec: 1 });
    expect((await api.list(INGRESSES, { keep })).items).toMatchObject([{ metadata: { name: "i-2" }, spec: 1 }]);
  });

  test.each([page({}), page([{ metadata: {} }]), { items: 3 }, 7])("that are none are refused: %j", async (body) => {
    const { api } = await start((_, response) => json(response, body));
    expect((await failure(api.list(INGRESSES))).reason).toBe("Malformed");
  });

  test("that lead back to the same page are given up", async () => {
    const { api, stub } = await start((_, response) => json(response, page([item(1)], "more")));
    expect(await failure(api.list(INGRESSES))).toMatchObject({ reason: "Malformed", isGone: false });
    expect(stub.requests).toHaveLength(2);
  });

  test("of more objects than any cluster has are given up, kept or not", async () => {
    const { api, stub } = await start((request, response) => {
      const from = Number(request.query.get("continue") ?? 0);
      json(response, page(Array(100_000).fill(item(from)), String(from + 1)));
    });
    const error = await failure(api.list(INGRESSES, { keep: () => undefined }));
    expect(error.reason).toBe("TooMany");
    expect(error.message).toContain("there are more than 200000 ingresses. Delete those that nobody needs, or leave the kind out of");
    expect(stub.requests).toHaveLength(3);
  });

  test("null for no items is what some servers write", async () => {
    const { api } = await start((_, response) => json(response, page(null)));
    expect((await api.list(INGRESSES)).items).toEqual([]);
  });
});

describe("failures are told with what to do", () => {
  const cases: readonly {
    name: string;
    status: number;
    body: unknown;
    headers?: Record<string, string>;
    says: string;
    retryAfter?: number;
  }[] = [
    {
      name: "a missing permission",
      status: 403,
      body: statusBody(403, "Forbidden", 'ingresses.networking.k8s.io is forbidden: User "x" cannot list resource "ingresses"'),
      says: "GET /apis/networking.k8s.io/v1/ingresses: not permitted to list ingresses.networking.k8s.io. Grant the identity the permission to list ingresses.networking.k8s.io.",
    },
    {
      name: "a refusal by policy",
      status: 403,
      body: statusBody(403, "Forbidden", "denied by ValidatingAdmissionPolicy: epoch 3 is over"),
      says: "denied by ValidatingAdmissionPolicy: epoch 3 is over. Do what the message says.",
    },
    {
      name: "a bad credential",
      status: 401,
      body: statusBody(401, "Unauthorized", "Unauthorized"),
      says: "the credential is not accepted. Give a valid one",
    },
    {
      name: "a conflict",
      status: 409,
      body: statusBody(409, "Conflict", "the object has been modified"),
      says: "the object has been modified. It is read again",
    },
    {
      name: "an invalid object",
      status: 422,
      body: statusBody(422, "Invalid", "spec.ttl: bad"),
      says: "spec.ttl: bad. Mend what the message names.",
    },
    {
      name: "an overload",
      status: 429,
      body: {},
      headers: { "retry-after": "7" },
      says: "status 429. It is tried again.",
      retryAfter: 7000,
    },
    {
      name: "an overload until a date",
      status: 503,
      body: "not json",
      headers: { "retry-after": new Date(Math.ceil(clock.wallClock() / 1000) * 1000 + 3000).toUTCString() },
      says: "status 503. It is tried again.",
      retryAfter: 3000,
    },
    { name: "no word at all", status: 418, body: "", says: "status 418. See that this is the address of a Kubernetes API server." },
    {
      name: "a message with the credential in it",
      status: 400,
      body: statusBody(400, "BadRequest", `token ${TOKEN} \u001b[31m`),
      says: "token … \ufffd[31m. Mend",
    },
  ];
  test.each(cases)("$name", async ({ status, body, headers, says, retryAfter }) => {
    const { api, stub } = await start((_, response) => json(response, body, status, headers));
    const error = await failure(api.list(INGRESSES));
    expect(error.status).toBe(status);
    expect(error.message).toContain(`${stub.url}: `);
    expect(error.message).toContain(says);
    expect(error.message).not.toContain(TOKEN);
    if (retryAfter !== undefined) expect(error.retryAfter).toBe(retryAfter);
  });

  test("a server that is not there", async () => {
    const { api, stub } = await start(() => undefined);
    await stub.close();
    const error = await failure(api.list(INGRESSES));
    expect(error).toMatchObject({ status: 0, reason: "Refused", isTransient: true });
    expect(error.message).toContain("the connection was refused. See that the API server runs");
  });

  test("a connection that is cut", async () => {
    const { api } = await start((request) => void request.raw.socket.destroy());
    expect(await failure(api.list(INGRESSES))).toMatchObject({ status: 0, reason: "Cut" });
  });

  test("a server that hangs ends at the deadline, before and within the answer", async () => {
    const { api, stub } = await start((request, response) => {
      if (request.path.includes("services")) response.writeHead(200).write('{"items":');
    });
    for (const [resource, count] of [
      [INGRESSES, 1],
      [SERVICES, 2],
    ] as const) {
      const listed = failure(api.list(resource));
      await stub.received(count);
      await clock.advance(10_000);
      expect((await listed).message).toContain("no whole answer within 10000 ms. See that the API server runs");
    }
    expect(clock.pending()).toBe(0);
  });

  test("a caller that gives up, and a connection that is closed", async () => {
    const { api, stub } = await start(() => undefined);
    const stop = new AbortController();
    const got = failure(api.get(INGRESSES, "web", "shop", { signal: stop.signal }));
    await stub.received(1);
    stop.abort();
    expect((await got).reason).toBe("Aborted");
    const other = failure(api.get(INGRESSES, "web", "shop"));
    await stub.received(2);
    api.close();
    expect((await other).reason).toBe("Aborted");
    expect((await failure(api.get(INGRESSES, "web", "shop"))).reason).toBe("Closed");
    expect(clock.pending()).toBe(0);
  });
});

describe("credentials", () => {
  test("a 401 has the credential read anew, once, and the request sent again", async () => {
    const renewals: boolean[] = [];
    const credential = async (renew: boolean): Promise<Credential> => {
      renewals.push(renew);
      return { token: renew || renewals.includes(true) ? "new" : "old" };
    };
    const { api, stub } = await start(
      (request, response) => (request.headers.authorization === "Bearer new" ? json(response, shop) : json(response, {}, 401)),
      { connection: { credential } },
    );
    expect((await api.create(INGRESSES, shop)).metadata.name).toBe("shop");
    expect(renewals).toEqual([false, true]);
    expect(stub.requests).toHaveLength(2);
  });

  test("a 401 with the same credential again is final", async () => {
    const { api, stub } = await start((_, response) => json(response, {}, 401));
    expect((await failure(api.get(INGRESSES, "web", "shop"))).isUnauthorized).toBe(true);
    expect(stub.requests).toHaveLength(1);
  });

  test("a credential that cannot be read is told", async () => {
    const { api } = await start(() => undefined, { connection: { credential: () => Promise.reject(new Error("command failed")) } });
    expect((await failure(api.get(INGRESSES, "web", "shop"))).message).toContain("the credential cannot be read: command failed.");
  });

  test("a credential that does not come ends with the request's deadline, or when the caller gives up", async () => {
    const { api } = await start(() => undefined, { connection: { credential: () => new Promise(() => undefined) } });
    const listed = failure(api.list(INGRESSES));
    const watched = failure(api.watch(INGRESSES, { resourceVersion: "1" }, () => undefined, new AbortController().signal));
    await clock.advance(10_000);
    for (const error of await Promise.all([listed, watched])) {
      expect(error).toMatchObject({ status: 0, reason: "Credential" });
      expect(error.message).toContain("the credential cannot be read: it took too long. See to the kubeconfig,");
    }
    const stop = new AbortController();
    const got = failure(api.get(INGRESSES, "web", "shop", { signal: stop.signal }));
    stop.abort();
    expect((await got).reason).toBe("Aborted");
    expect(clock.pending()).toBe(0);
  });
});

describe("TLS", () => {
  const { ca, key, cert } = certificates;
  async function startTls(credential: Credential, more: Partial<KubeConnection> = {}, server = {}) {
    const stub = await startStub((_, response) => json(response, shop), { key, cert, ...server });
    const api = openKubeApi({ ...staticConnection(stub.url, credential), ...more }, ports, { userAgent: () => "x" });
    opened.unshift(api, stub);
    return { api, stub };
  }

  test("the server is checked against the given authority", async () => {
    const { api } = await startTls({ ca });
    expect((await api.get(INGRESSES, "web", "shop"))?.metadata.name).toBe("shop");
  });

  test.each([
    {
      name: "an unknown authority",
      credential: {},
      more: {},
      server: {},
      says: "the server's certificate is not trusted. Give the certificate authority",
    },
    {
      name: "another name",
      credential: { ca },
      more: { serverName: "other.example.org" },
      server: {},
      says: "the server's certificate is for another name. Use a name",
    },
    {
      name: "an old certificate",
      credential: { ca },
      more: {},
      server: { cert: certificates.expired },
      says: "has expired or is not valid yet",
    },
  ])("$name is refused", async ({ credential, more, server, says }) => {
    const { api, stub } = await startTls(credential, more, server);
    const error = await failure(api.get(INGRESSES, "web", "shop"));
    expect(error.reason).toBe("NotTrusted");
    expect(error.message).toContain(says);
    expect(stub.requests).toEqual([]);
  });

  test("the name in the certificate may be given", async () => {
    const { api } = await startTls({ ca }, { serverName: "shop.example.org" });
    expect(await api.get(INGRESSES, "web", "shop")).toBeDefined();
  });

  test("a client certificate is shown, and a new one replaces the connections", async () => {
    let credential: Credential = { ca, cert, key };
    const { api, stub } = await startTls({}, { credential: async () => credential }, { ca, requestCert: true, rejectUnauthorized: false });
    for (let i = 0; i < 5; i++) await api.get(INGRESSES, "web", "shop");
    const shown = stub.requests.map(({ raw }) => (raw.socket instanceof TLSSocket ? raw.socket.getPeerCertificate().subject.CN : ""));
    expect(shown).toEqual(Array.from({ length: 5 }, () => "shop.example.org"));
    const before = stub.connections();
    expect(before).toBeLessThanOrEqual(2);
    credential = { ca, cert: `${cert}\n`, key };
    await api.get(INGRESSES, "web", "shop");
    expect(stub.connections()).toBe(before + 1);
  });

  test("http is for tests only", () => {
    expect(() => openKubeApi(staticConnection("http://127.0.0.1:1"), ports, { userAgent: () => "x" })).toThrow(TypeError);
  });
});

describe("watches", () => {
  const event = (type: string, name: string) =>
    `${JSON.stringify({ type, object: { metadata: { namespace: "web", name, resourceVersion: "9" } } })}\n`;
  async function watching(write: (response: ServerResponse) => void, how: { options?: Partial<KubeApiOptions> } = {}) {
    const { api, stub } = await start((_, response) => {
      response.writeHead(200);
      response.flushHeaders();
      write(response);
    }, how);
    const events: WatchEvent[] = [];
    const stop = new AbortController();
    let opens = 0;
    const opened = Promise.withResolvers<void>();
    const onOpen = () => {
      opens++;
      opened.resolve();
    };
    const next = { wanted: 0, resolve: (): void => undefined };
    const over = api.watch(
      INGRESSES,
      { resourceVersion: "8", onOpen },
      (one) => {
        events.push(one);
        if (events.length >= next.wanted) next.resolve();
      },
      stop.signal,
    );
    over.catch(() => undefined); // looked at by the test, perhaps later
    const count = (wanted: number) =>
      new Promise<void>((resolve) => {
        Object.assign(next, { wanted, resolve });
        if (events.length >= wanted) resolve();
      });
    return { api, stub, events, stop, over, opened: opened.promise, opens: () => opens, count };
  }

  test("events come as they are, however the network cuts them; the server's end is the end", async () => {
    const lines = Buffer.from(
      event("ADDED", "shöp") +
        event("MODIFIED", "a") +
        event("DELETED", "b") +
        '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"12"}}}\n',
    );
    for (const size of [1, 7, 1000]) {
      const { over, events, stub, opens } = await watching((response) => {
        for (let at = 0; at < lines.length; at += size) response.write(lines.subarray(at, at + size));
        response.end();
      });
      await over;
      expect(events.map((one) => (one.type === "BOOKMARK" ? one.resourceVersion : `${one.type} ${one.object.metadata.name}`))).toEqual([
        "ADDED shöp",
        "MODIFIED a",
        "DELETED b",
        "12",
      ]);
      expect(events[0]).toMatchObject({ object: { apiVersion: "networking.k8s.io/v1", kind: "Ingress" } });
      expect(opens()).toBe(1);
      expect(stub.requests[0]?.query.toString()).toBe("watch=1&allowWatchBookmarks=true&resourceVersion=8&timeoutSeconds=64");
    }
  });

  test("a watch is open as soon as the server accepts it, and has no deadline while bytes come", async () => {
    let response: ServerResponse | undefined;
    const { over, stop, opened, opens, count } = await watching((one) => {
      response = one;
    });
    await opened;
    for (let i = 1; i <= 5; i++) {
      await clock.advance(80_000);
      response?.write(event("MODIFIED", "shop"));
      await count(i);
    }
    expect(opens()).toBe(1);
    stop.abort();
    await over;
    expect(clock.pending()).toBe(0);
  });

  test("90 s without a byte is a failure", async () => {
    const { over, opened } = await watching(() => undefined);
    await opened;
    await clock.advance(90_000);
    const error = await failure(over);
    expect(error).toMatchObject({ status: 0, reason: "Timeout" });
    expect(error.message).toContain("nothing came within 90000 ms");
  });

  test.each([
    { name: "garbage", line: "not json\n", says: { status: 0, reason: "Malformed" } },
    { name: "an unknown type", line: '{"type":"NEWS","object":{}}\n', says: { status: 0, reason: "Malformed" } },
    { name: "an event without a name", line: '{"type":"ADDED","object":{"metadata":{}}}\n', says: { status: 0, reason: "Malformed" } },
    {
      name: "an ERROR event",
      line: `{"type":"ERROR","object":${JSON.stringify(statusBody(410, "Expired", "too old"))}}\n`,
      says: { status: 410, isGone: true },
    },
    { name: "an ERROR event without a code", line: '{"type":"ERROR","object":{}}\n', says: { status: 500 } },
  ])("$name ends it", async ({ line, says }) => {
    const { over, events } = await watching((response) => void response.write(event("ADDED", "shop") + line));
    expect(await failure(over)).toMatchObject(says);
    expect(events).toHaveLength(1);
  });

  test("410 as a status, and a connection that breaks", async () => {
    const { api } = await start((_, response) => json(response, statusBody(410, "Expired", "too old resource version"), 410));
    const none = new AbortController().signal;
    expect((await failure(api.watch(INGRESSES, { resourceVersion: "1" }, () => undefined, none))).isGone).toBe(true);
    const broken = await watching((response) => {
      response.write(event("ADDED", "shop"));
      setImmediate(() => response.socket?.destroy());
    });
    expect(await failure(broken.over)).toMatchObject({ status: 0, reason: "Cut" });
  });

  test("a handler that throws ends the watch with what it threw", async () => {
    const { api } = await start((_, response) => void response.writeHead(200).write(event("ADDED", "shop")));
    const thrown = new KubeError("mine", { status: 410, reason: "Expired" });
    const watch = api.watch(
      INGRESSES,
      { resourceVersion: "1" },
      () => {
        throw thrown;
      },
      new AbortController().signal,
    );
    expect(await failure(watch)).toBe(thrown);
  });
});
