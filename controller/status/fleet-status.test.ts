import { expect, test } from "vitest";
import type { FleetStatus } from "../../src/engine/view.ts";
import { readStatus } from "../../src/model/read-status.ts";
import type { ObjectReport } from "../reconcile/reconciled.ts";
import { type FleetStatusInput, fleetStatus } from "./fleet-status.ts";

const REPORT: ObjectReport = {
  ...{ kind: "ProxyFleet", namespace: "", name: "edge", uid: "u", resourceVersion: "1", generation: 2, backends: [] },
  accepted: { status: "True", reason: "Accepted", message: "Accepted." },
};
const ENVOYS: FleetStatus = { name: "edge", type: "Envoy", proxies: { connected: 2, current: 2, rejected: 0 }, members: [], problems: [] };

const statusOf = (fleet: FleetStatus | undefined, more: Partial<FleetStatusInput> = {}) =>
  fleetStatus({ report: REPORT, programmed: { reported: 1, of: 1, waitingFor: [] }, fleet, before: undefined, epoch: 7, now: 0, ...more });
const told = (...input: Parameters<typeof statusOf>) =>
  statusOf(...input).conditions.map(({ type, status, reason }) => `${type}=${status}/${reason}`);

const cases: readonly {
  readonly name: string;
  readonly fleet: FleetStatus | undefined;
  readonly more?: Partial<FleetStatusInput>;
  readonly told: readonly string[];
}[] = [
  { name: "all follow", fleet: ENVOYS, told: ["Accepted=True/Accepted", "Programmed=True/Programmed", "Ready=True/Ready"] },
  {
    name: "nobody is connected, which is no fault of the object's",
    fleet: { ...ENVOYS, proxies: { connected: 0, current: 0, rejected: 0 } },
    told: ["Accepted=True/Accepted", "Programmed=True/Programmed", "Ready=True/Ready"],
  },
  {
    name: "nobody tells them",
    fleet: { ...ENVOYS, problems: ["Start the server with --xds ADDR:PORT."] },
    told: ["Accepted=True/Accepted", "Programmed=False/NotTold", "Ready=False/NotTold"],
  },
  {
    name: "an Envoy rejects something",
    fleet: {
      ...ENVOYS,
      proxies: { connected: 2, current: 1, rejected: 1 },
      members: [{ name: "e1", place: "here", state: "Rejected", problem: "no such file" }],
    },
    told: ["Accepted=True/Accepted", "Programmed=False/Rejected", "Ready=False/Rejected"],
  },
  {
    name: "one is merely being told",
    fleet: { ...ENVOYS, proxies: { connected: 2, current: 1, rejected: 0 }, members: [{ name: "e1", place: "here", state: "Pending" }] },
    told: ["Accepted=True/Accepted", "Programmed=True/Programmed", "Ready=True/Ready"],
  },
  {
    name: "the spec is wrong",
    fleet: ENVOYS,
    more: { report: { ...REPORT, accepted: { status: "False", reason: "Invalid", message: "No." } } },
    told: ["Accepted=False/Invalid", "Programmed=False/NotAccepted", "Ready=False/Invalid", "Stalled=True/Invalid"],
  },
];
test.each(cases)("$name", ({ fleet, more, told: expected }) => expect(told(fleet, more)).toEqual(expected));

test("HAProxies are listed one by one, Envoys counted, and what they reject is told in their words", () => {
  const rejecting = { ...ENVOYS, members: [{ name: "e1", place: "here", state: "Rejected", problem: "no such file" }] } as const;
  expect(statusOf(rejecting)).toMatchObject({ summary: { proxies: "2/2" }, rejections: ["e1: no such file"] });
  expect(statusOf(rejecting).members).toBeUndefined();
  const haproxies = {
    ...ENVOYS,
    type: "HAProxy",
    members: [{ name: "one", place: "here", state: "ReloadNeeded", problem: "a route came" }],
  } as const;
  expect(statusOf(haproxies).members).toEqual([{ name: "one", state: "ReloadNeeded", problem: "a route came" }]);
});

test("what was found last stays while the writer's table does not have the fleet; and it survives being read", () => {
  const before = statusOf(ENVOYS);
  expect(readStatus("ProxyFleet", before)).toEqual(before);
  expect(statusOf(undefined, { before }).nodes).toEqual({ connected: 2, following: 2 });
});
