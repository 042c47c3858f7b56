import { expect, test } from "vitest";
import { undeclaredIn, withoutFields } from "./undeclared-fields.ts";

test("all paths of a message are read, without the keys of list entries", () => {
  const message =
    'failed to create typed patch object (web/shop; globalroute.dev/v1alpha1, Kind=GlobalRoute): errors: .status.backends[name="a.b"].more: field not declared in schema .status.extra: field not declared in schema';
  expect(undeclaredIn(message)).toEqual(["backends.more", "extra"]);
  expect(undeclaredIn("it broke")).toEqual([]);
});

test("fields are left out wherever they stand, and nothing else", () => {
  const status = { extra: 1, backends: [{ name: "a", more: 1 }, { name: "b" }], kept: { more: 2 } };
  expect(withoutFields(status, ["backends.more", "extra", "none.here"])).toEqual({
    backends: [{ name: "a" }, { name: "b" }],
    kept: { more: 2 },
  });
});
