/** Contract: who is let in, what permissions say, and tokens of ServiceAccounts. */
import { beforeAll, describe, expect, test } from "vitest";
import { at, textAt } from "../json.ts";
import { type ContractClient, gadget, MERGE, messageOf, reasonOf } from "./peer.ts";

export function describeAccess(client: () => ContractClient): void {
  const accounts = () => `/api/v1/namespaces/${client().namespace}/serviceaccounts`;
  const tokenOf = (name: string, spec: object) =>
    client().call("POST", `${accounts()}/${name}/token`, { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec });
  const who = () => `system:serviceaccount:${client().namespace}:reader`;
  let token = "";

  describe("access", () => {
    beforeAll(async () => {
      await client().call("POST", accounts(), { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "reader" } });
      const reply = await tokenOf("reader", { expirationSeconds: 3600 });
      expect(reply.status).toBe(201);
      expect(Date.parse(textAt(reply.body, "status", "expirationTimestamp"))).toBeGreaterThan(Date.now() + 3_000_000);
      token = textAt(reply.body, "status", "token");
    });

    test("a token that is not known is 401", async () => {
      const reply = await client().call("GET", client().gadgets, undefined, { token: "nobody" });
      expect([reply.status, reasonOf(reply), messageOf(reply)]).toEqual([401, "Unauthorized", "Unauthorized"]);
    });

    test.each<[string, string, () => string, () => string]>([
      [
        "a list",
        "GET",
        () => client().gadgets,
        () =>
          `gadgets.contract.example.org is forbidden: User "${who()}" cannot list resource "gadgets" in API group "contract.example.org" in the namespace "${client().namespace}"`,
      ],
      [
        "a patch of a status",
        "PATCH",
        () => `${client().gadgets}/x/status`,
        () =>
          `gadgets.contract.example.org "x" is forbidden: User "${who()}" cannot patch resource "gadgets/status" in API group "contract.example.org" in the namespace "${client().namespace}"`,
      ],
      [
        "a list of a cluster's kind",
        "GET",
        () => "/api/v1/namespaces",
        () => `namespaces is forbidden: User "${who()}" cannot list resource "namespaces" in API group "" at the cluster scope`,
      ],
    ])("%s without permission is 403, with the permission that is missing", async (_name, method, path, message) => {
      const reply = await client().call(method, path(), method === "PATCH" ? {} : undefined, { token, contentType: MERGE });
      expect([reply.status, reasonOf(reply), messageOf(reply)]).toEqual([403, "Forbidden", message()]);
    });

    test("a role that is bound permits just what it says", async () => {
      const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${client().namespace}`;
      const role = {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "Role",
        metadata: { name: "creator" },
        rules: [{ apiGroups: ["contract.example.org"], resources: ["gadgets"], verbs: ["create"] }],
      };
      const binding = {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "RoleBinding",
        metadata: { name: "creator" },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "creator" },
        subjects: [{ kind: "ServiceAccount", name: "reader", namespace: client().namespace }],
      };
      expect((await client().call("POST", `${rbac}/roles`, role)).status).toBe(201);
      expect((await client().call("POST", `${rbac}/rolebindings`, binding)).status).toBe(201);
      // Bindings reach the authorizer of a real server through a watch.
      await expect
        .poll(async () => (await client().call("POST", client().gadgets, gadget("by-reader"), { token })).status, { timeout: 10_000 })
        .toBe(201);
      expect((await client().call("GET", `${client().gadgets}/by-reader`, undefined, { token })).status).toBe(403);
    });

    test("one may ask what one may do, and who one is", async () => {
      const ask = async (verb: string) => {
        const reply = await client().call(
          "POST",
          "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
          {
            apiVersion: "authorization.k8s.io/v1",
            kind: "SelfSubjectAccessReview",
            spec: { resourceAttributes: { verb, group: "contract.example.org", resource: "gadgets", namespace: client().namespace } },
          },
          { token },
        );
        return at(reply.body, "status", "allowed");
      };
      expect(await ask("deletecollection")).toBe(false);
      const me = await client().call(
        "POST",
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
        { token },
      );
      expect(at(me.body, "status", "userInfo", "username")).toBe(who());
    });

    test("no token for less than ten minutes, or for an account that is not there", async () => {
      expect(messageOf(await tokenOf("reader", { expirationSeconds: 60 }))).toContain(
        "spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes",
      );
      const nobody = await tokenOf("nobody", { expirationSeconds: 3600 });
      expect([nobody.status, messageOf(nobody)]).toEqual([404, 'serviceaccounts "nobody" not found']);
    });

    test("a token ends with its account", async () => {
      await client().call("POST", accounts(), { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "leaver" } });
      const leaver = textAt((await tokenOf("leaver", { expirationSeconds: 3600 })).body, "status", "token");
      expect((await client().call("GET", client().gadgets, undefined, { token: leaver })).status).toBe(403);
      await client().call("DELETE", `${accounts()}/leaver`);
      await expect
        .poll(async () => (await client().call("GET", client().gadgets, undefined, { token: leaver })).status, { timeout: 15_000 })
        .toBe(401);
    });
  });
}
