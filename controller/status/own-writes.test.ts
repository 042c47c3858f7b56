import { expect, test } from "vitest";
import type { KubeObject } from "../kube/kube-object.ts";
import { GLOBAL_ROUTES } from "../kube/resources.ts";
import { createOwnWrites } from "./own-writes.ts";

const at = (version: number, uid = "a"): KubeObject => ({
  apiVersion: "globalroute.dev/v1alpha1",
  kind: "GlobalRoute",
  metadata: { name: "shop", namespace: "web", uid, resourceVersion: String(version) },
});

/** @param stored what the watch has told, now and later */
function world(...stored: (KubeObject | undefined)[]) {
  const seen = () => stored[0];
  const own = createOwnWrites({ objects: () => new Map(seen() === undefined ? [] : [["web/shop", seen()!]]) });
  return {
    wrote: (result: KubeObject | undefined, before?: KubeObject) => own.wrote(GLOBAL_ROUTES, "web/shop", result, before),
    current: () => own.current(GLOBAL_ROUTES, "web/shop")?.metadata,
    sweep: (isWanted: boolean) => own.sweep(() => isWanted),
    next: () => void stored.shift(),
  };
}

test("what was written counts until the watch has told of it", () => {
  const { wrote, current, next } = world(at(7), at(8), at(9));
  wrote(at(8), at(7));
  expect(current()?.resourceVersion).toBe("8");
  next();
  expect(current()?.resourceVersion).toBe("8");
  next();
  expect(current()?.resourceVersion).toBe("9");
});

test("what the watch has told of a later change, before the answer came, counts", () => {
  const { wrote, current } = world(at(9));
  wrote(at(8), at(7));
  expect(current()?.resourceVersion).toBe("9");
});

test("of two writes in a row the newer counts while the watch tells of the first", () => {
  const { wrote, current } = world(at(10));
  wrote(at(11), at(10));
  expect(current()?.resourceVersion).toBe("11");
});

test("what was deleted is gone, unless somebody has made it anew by then", () => {
  const gone = world(at(7));
  gone.wrote(undefined, at(7));
  expect(gone.current()).toBeUndefined();
  const anew = world(at(9, "b"));
  anew.wrote(undefined, at(7));
  expect(anew.current()?.uid).toBe("b");
});

test("what was made is forgotten when it is neither stored nor wanted", () => {
  const { wrote, current, sweep } = world(undefined);
  wrote(at(7));
  sweep(true);
  expect(current()?.resourceVersion).toBe("7");
  sweep(false);
  expect(current()).toBeUndefined();
});

test("what was made, and told of, is not taken for new when somebody deletes it", () => {
  const { wrote, current, sweep, next } = world(undefined, at(7), undefined);
  wrote(at(7));
  next();
  sweep(true);
  next();
  expect(current()).toBeUndefined();
});

test("what the watch has not told of yet is kept, wanted or not", () => {
  const { wrote, current, sweep } = world(at(7));
  wrote(at(8), at(7));
  sweep(false);
  expect(current()?.resourceVersion).toBe("8");
});
