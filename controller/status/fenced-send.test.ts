import { expect, test } from "vitest";
import { KubeError } from "../kube/kube-error.ts";
import { createSend } from "./fenced-send.ts";

const send = createSend(
  { epoch: 1, deadline: () => Number.POSITIVE_INFINITY, signal: new AbortController().signal },
  { now: () => 0, setTimer: () => () => undefined },
);
const sentAs = async (status: number, message: string): Promise<string> =>
  (await send(() => Promise.reject(new KubeError(message, { status, reason: "" })))).kind;

test.each([
  ["Conflict", 409, "the object has been modified"],
  // What kube-apiserver says of a patch or an apply that names the uid of an object of which another one has taken the place.
  ["Conflict", 422, 'GlobalRoute.globalroute.dev "shop" is invalid: metadata.uid: Invalid value: "a": field is immutable'],
  ["Missing", 404, "not found"],
  ["Later", 500, "it broke"],
  ["Later", 429, "too many"],
  ["Later", 401, "who?"],
  ["Later", 422, "ValidatingAdmissionPolicy 'x-writer-fence' denied the request"],
  ["Refused", 422, "spec.domain: Invalid value: field is immutable"],
  ["Refused", 403, "not permitted"],
  // An older CustomResourceDefinition does not know a field: no time helps.
  ["Refused", 500, "failed to create typed patch object (web/shop): .status.more: field not declared in schema"],
])("%s: %i %s", async (kind, status, message) => {
  expect(await sentAs(status, message)).toBe(kind);
});
