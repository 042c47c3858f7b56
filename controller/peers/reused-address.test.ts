import { expect, test } from "vitest";
import { ms } from "../../src/model/units.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { createPeerExchange } from "./peer-exchange.ts";
import { type Hello, PROTOCOL } from "./peer-messages.ts";
import type { PeerStream } from "./peer-stream.ts";

const hello = (instance: string): Hello => ({
  type: "hello",
  protocol: PROTOCOL,
  role: "replica",
  instance,
  incarnation: `${instance}-1`,
  site: "hub",
  version: "1.0.0",
});
const stream = (): PeerStream => ({ send: () => undefined, isClogged: () => false, lag: () => 0, heardAt: () => 0, end: () => undefined });

test("a replica whose address another pod has by now is not waited for", () => {
  const clock = createSimulatedClock();
  const exchange = createPeerExchange({
    self: hello("pod-a"),
    ports: { ...clock, random: () => 0.5, setTimer: (delay, callback) => clock.setTimer(ms(delay), callback) },
    onProgrammed: () => undefined,
    onSources: () => undefined,
  });
  const forgotten: string[] = [];
  exchange.port.connect({ offer: () => undefined, forget: ({ replica }) => forgotten.push(replica), share: () => undefined });
  const meet = (instance: string) => {
    const ends = [
      exchange.dialled("192.0.2.2:8054", hello(instance), stream()),
      exchange.accepted({ kind: "replica", name: instance }, hello(instance), stream()),
    ];
    return () => {
      for (const end of ends) if (typeof end !== "string") end.onEnd("lost");
    };
  };
  exchange.setPeers(new Set(["192.0.2.2:8054"]));
  const lose = meet("pod-b");
  lose();
  expect(exchange.port.degraded()).toEqual(["peer-lost"]);
  meet("pod-c");
  expect(forgotten).toEqual(["pod-b"]);
  expect(exchange.port.degraded()).toEqual([]);
  exchange.close();
});
