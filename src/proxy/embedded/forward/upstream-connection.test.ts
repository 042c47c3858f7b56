/** A response that is held, and let go. */
import { duplexPair } from "node:stream";
import { expect, test } from "vitest";
import { EAST, response, settle } from "../../../../test/support/http1/proxy-world.ts";
import { ms } from "../../../model/units.ts";
import { HEAD_LIMITS } from "../http1/fields.ts";
import { type ResponseSink, UpstreamConnection, type UpstreamOwner } from "./upstream-connection.ts";

/** A connection whose request has been sent, and what is told of it. */
async function openWorld(onHead: (upstream: UpstreamConnection, sink: ResponseSink, heads: number) => void) {
  const [near, far] = duplexPair();
  const told: string[] = [];
  const owner: UpstreamOwner = {
    now: () => ms(0),
    onConnected: () => {},
    onFree: () => told.push("free"),
    onGone: () => told.push("gone"),
  };
  let heads = 0;
  const sink: ResponseSink = {
    isRequestSent: true,
    onConnected: () => {},
    onHead: ({ status }) => {
      told.push(`head ${status}`);
      onHead(upstream, sink, ++heads);
    },
    onBody: (bytes, start, end) => told.push(bytes.toString("latin1", start, end)),
    onRead: () => {},
    onEnd: () => told.push("end"),
    onUpgrade: () => {},
    onUpstreamDrain: () => {},
    onLate: () => undefined,
    onLoss: (loss) => told.push(loss),
  };
  const upstream = new UpstreamConnection(EAST, near, HEAD_LIMITS, owner);
  upstream.begin(sink, false, ms(0));
  near.emit("connect");
  const say = async (text: string): Promise<void> => {
    far.write(text);
    await settle();
  };
  return { upstream, sink, near, told, say };
}

test("let go while its head is being handed over: it is read once more, from its head on, and its body once", async () => {
  const { told, say } = await openWorld((upstream, sink, heads) => {
    if (heads !== 1) return;
    upstream.hold();
    expect(upstream.release(sink)).toBe(true);
  });
  await say(response("busy", [], "503 Service Unavailable"));
  expect(told).toEqual(["head 503", "head 503", "busy", "free", "end"]);
});

test("held until its endpoint has said its last: it is read, and nobody else gets the connection", async () => {
  const { upstream, sink, near, told, say } = await openWorld((held, _, heads) => {
    if (heads === 1) held.hold();
  });
  await say(response("busy", [], "503 Service Unavailable"));
  near.emit("end"); // TLS tells it though the socket is paused
  expect(told).toEqual(["head 503"]);
  expect(upstream.release(sink)).toBe(true);
  expect(told).toEqual(["head 503", "head 503", "busy", "gone", "end"]);
});
