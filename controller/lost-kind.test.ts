import { describe, expect, test } from "vitest";
import { ms } from "../src/model/units.ts";
import { createSimulatedClock } from "../test/support/simulated-clock.ts";
import { KubeError } from "./kube/kube-error.ts";
import type { KubeObject } from "./kube/kube-object.ts";
import { GLOBAL_ROUTES } from "./kube/resources.ts";
import { createLostKind } from "./lost-kind.ts";

const route = (name: string): KubeObject => ({
  apiVersion: "globalroute.dev/v1alpha1",
  kind: "GlobalRoute",
  metadata: { name, namespace: "web" },
});
const names = (objects: readonly KubeObject[]): readonly string[] => objects.map(({ metadata }) => metadata.name);

/** A server whose list of kinds the test sets. */
function scene() {
  const clock = createSimulatedClock();
  const state = {
    verbs: ["create", "delete", "get", "list", "watch"] as readonly string[] | undefined,
    fails: false,
    /** Times that its namespace was read, and its list of kinds. */
    read: 0,
    asked: 0,
    told: 0,
    store: "first",
    onAsked: () => {},
  };
  const kind = createLostKind({
    api: {
      async get(_resource, _namespace, name) {
        state.read++;
        state.onAsked();
        if (state.fails) throw new KubeError("refused", { status: 0, reason: "" });
        return { apiVersion: "v1", kind: "Namespace", metadata: { name, uid: state.store } };
      },
      async request() {
        state.asked++;
        if (state.fails) throw new KubeError("refused", { status: 0, reason: "" });
        if (state.verbs === undefined) throw new KubeError("no such group", { status: 404, reason: "NotFound" });
        return {
          resources: [
            { name: "globalroutes/status", verbs: ["get"] },
            { name: "globalroutes", verbs: state.verbs },
          ],
        };
      },
    },
    resource: GLOBAL_ROUTES,
    ports: { ...clock, setTimer: (delay, callback) => clock.setTimer(ms(delay), callback), random: () => 0.5 },
    onChange: () => state.told++,
  });
  return { clock, state, kind };
}

describe("objects that vanish", () => {
  test("go when their kind is whole, a moment later", async () => {
    const { clock, state, kind } = scene();
    kind.vanished([route("shop")]);
    expect(names(kind.kept())).toEqual(["shop"]);
    await clock.advance(300);
    expect([kind.kept(), kind.held(), state.told]).toEqual([[], 0, 2]);
  });

  test("stay when it is being deleted, can be read and deleted only, until they are there again", async () => {
    const { clock, state, kind } = scene();
    state.verbs = ["delete", "deletecollection", "get", "list", "watch"];
    kind.vanished([route("shop"), route("api")]);
    await clock.advance(300);
    expect([names(kind.kept()), kind.held()]).toEqual([["shop", "api"], 2]);
    kind.served(false);
    kind.served(true);
    kind.changed([route("shop")]);
    expect(names(kind.kept())).toEqual(["api"]);
  });

  test("stay when the group is gone", async () => {
    const { clock, state, kind } = scene();
    state.verbs = undefined;
    kind.vanished([route("shop")]);
    await clock.advance(300);
    expect(kind.held()).toBe(1);
  });

  test("stay when the first list after the kind came back has none of them", async () => {
    const { clock, kind } = scene();
    kind.served(false);
    kind.vanished([route("shop")]); // the watch tells of the list before it tells that it is served
    kind.served(true);
    await clock.advance(10_000);
    expect([names(kind.kept()), kind.held()]).toEqual([["shop"], 1]);
    kind.vanished([route("other")]); // and from then on deletes are deletes
    await clock.advance(300);
    expect(names(kind.kept())).toEqual(["shop"]);
  });

  test("stay for as long as nobody can be asked why", async () => {
    const { clock, state, kind } = scene();
    state.fails = true;
    kind.vanished([route("shop")]);
    await clock.advance(60_000);
    expect([names(kind.kept()), kind.held()]).toEqual([["shop"], 0]);
    state.fails = false;
    await clock.advance(1000);
    expect(kind.kept()).toEqual([]);
  });

  test("are asked about again when more of them vanish meanwhile", async () => {
    const { clock, state, kind } = scene();
    kind.vanished([route("one")]);
    await clock.advance(299);
    kind.vanished([route("two")]);
    await clock.advance(1);
    await clock.advance(300);
    expect(kind.kept()).toEqual([]);
    expect(state.asked).toBeLessThanOrEqual(2);
  });

  test.each([true, false])("are not asked about again after it was closed while it asked (server fails: %s)", async (fails) => {
    const { clock, state, kind } = scene();
    state.fails = fails;
    kind.vanished([route("shop")]);
    state.onAsked = kind.close;
    await clock.advance(300);
    const { told } = state;
    await clock.advance(60_000);
    expect([state.read, state.told]).toEqual([1, told]);
    expect(clock.pending()).toBe(0);
  });

  test("stay when the store is another one, although it has the kind", async () => {
    const { clock, state, kind } = scene();
    kind.changed([route("shop"), route("api")]);
    await clock.advance(0);
    state.store = "second";
    kind.vanished([route("shop"), route("api")]);
    await clock.advance(300);
    expect(kind.held()).toBe(2);
    kind.changed([route("shop")]);
    kind.vanished([route("shop")]); // and from then on deletes are deletes
    await clock.advance(300);
    expect(names(kind.kept())).toEqual(["api"]);
  });

  test("go when somebody says so", async () => {
    const { clock, state, kind } = scene();
    state.verbs = undefined;
    kind.vanished([route("shop"), route("api")]);
    await clock.advance(300);
    expect([kind.confirm(), kind.kept(), kind.confirm()]).toEqual([2, [], 0]);
  });
});
