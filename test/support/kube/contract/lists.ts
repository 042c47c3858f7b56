/** Contract: lists, selectors and pages. */
import { beforeAll, describe, expect, test } from "vitest";
import { at, textAt } from "../json.ts";
import { type ContractClient, gadget, messageOf, namesOf, reasonOf, versionOf } from "./peer.ts";

export function describeLists(client: () => ContractClient): void {
  const list = (query: string) => client().call("GET", `${client().gadgets}?${query}`);
  const of = (selector: string) => list(`labelSelector=${encodeURIComponent(selector)}`);

  describe("lists", () => {
    beforeAll(async () => {
      for (const [name, labels] of [
        ["list-a", { list: "1", tier: "web" }],
        ["list-b", { list: "1", tier: "db" }],
        ["list-c", { list: "1" }],
        ["list-d", { list: "1", tier: "web", old: "" }],
        ["list-e", { list: "1", tier: "cache" }],
      ] as const) {
        await client().call("POST", client().gadgets, gadget(name, { size: 1 }, { metadata: { labels } }));
      }
    });

    test.each([
      ["list=1", ["list-a", "list-b", "list-c", "list-d", "list-e"]],
      ["list=1,tier=web", ["list-a", "list-d"]],
      ["list=1,tier!=web", ["list-b", "list-c", "list-e"]],
      ["list=1,tier in (web, db)", ["list-a", "list-b", "list-d"]],
      ["list=1,tier notin (web,db)", ["list-c", "list-e"]],
      ["list=1,!tier", ["list-c"]],
      ["old", ["list-d"]],
      ["list=2", []],
    ])("the label selector %s finds %j, in the order of names", async (selector, names) => {
      expect(namesOf(await of(selector))).toEqual(names);
    });

    test("a field selector names one object; other fields than name and namespace are refused", async () => {
      expect(namesOf(await list("fieldSelector=metadata.name%3Dlist-b"))).toEqual(["list-b"]);
      const reply = await list("fieldSelector=spec.size%3D1");
      expect([reply.status, messageOf(reply)]).toEqual([400, "field label not supported: spec.size"]);
    });

    test("a selector that cannot be read is refused", async () => {
      const reply = await of("a b");
      expect([reply.status, messageOf(reply)]).toEqual([
        400,
        "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
      ]);
    });

    test("the list of all namespaces holds those of one, with its kind on list and items", async () => {
      const all = await client().call("GET", "/apis/contract.example.org/v1/gadgets?labelSelector=list%3D1");
      expect(all.body).toMatchObject({ kind: "GadgetList", apiVersion: "contract.example.org/v1" });
      expect(namesOf(all)).toEqual(expect.arrayContaining(["list-a", "list-e"]));
      expect(at(all.body, "items")).toEqual(expect.arrayContaining([expect.objectContaining({ kind: "Gadget" })]));
    });

    test("pages are all of the moment of the first one", async () => {
      const first = await list("limit=2&labelSelector=list%3D1");
      expect(namesOf(first)).toEqual(["list-a", "list-b"]);
      await client().call("POST", client().gadgets, gadget("list-b2", { size: 1 }, { metadata: { labels: { list: "1" } } }));
      await client().call("DELETE", `${client().gadgets}/list-e`);
      const next = (token: string) => list(`limit=2&labelSelector=list%3D1&continue=${token}`);
      const second = await next(textAt(first.body, "metadata", "continue"));
      const third = await next(textAt(second.body, "metadata", "continue"));
      expect([namesOf(second), namesOf(third)]).toEqual([["list-c", "list-d"], ["list-e"]]);
      expect([versionOf(second), versionOf(third)]).toEqual([versionOf(first), versionOf(first)]);
      expect(textAt(third.body, "metadata", "continue")).toBe("");
    });

    test("a page tells how many are left, if nothing is selected", async () => {
      const page = await list("limit=1");
      const all = await list("");
      expect(at(page.body, "metadata", "remainingItemCount")).toBe(namesOf(all).length - 1);
      expect(at((await list("limit=1&labelSelector=list%3D1")).body, "metadata", "remainingItemCount")).toBeUndefined();
    });

    test("a page of a moment that is forgotten is 410", async () => {
      const first = await list("limit=1");
      await client().call("POST", client().gadgets, gadget("after-page"));
      await client().peer.compact();
      const reply = await list(`limit=1&continue=${textAt(first.body, "metadata", "continue")}`);
      expect([reply.status, reasonOf(reply)]).toEqual([410, "Expired"]);
      expect(messageOf(reply)).toContain("The provided continue parameter is too old to display a consistent list result.");
    });

    test.each([
      ["limit=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
      ["limit=1&continue=zzz", 400, "invalid continue token: continue key is not valid"],
    ])("%s is refused", async (query, status, message) => {
      const reply = await list(query);
      expect([reply.status, messageOf(reply)]).toEqual([status, expect.stringContaining(message)]);
    });

    test("a version that is not yet there times out, which says that it is too large", async () => {
      const reply = await list("resourceVersion=999999999");
      expect([reply.status, messageOf(reply)]).toEqual([
        504,
        expect.stringContaining("Timeout: Too large resource version: 999999999, current: "),
      ]);
    });
  });
}
