import fc from "fast-check";
import { expect, test } from "vitest";
import { type Claim, createHostClaims } from "./host-claims.ts";

const claim = (key: string, hosts: readonly string[], more: Partial<Claim> = {}): Claim => ({
  key,
  hosts,
  isConfirmed: false,
  created: "2026-01-01T00:00:00Z",
  ...more,
});
const nobody = () => undefined;

test("whoever is served under a host keeps it; of those who never were the oldest has it, and who is confirmed comes first", () => {
  const claims = createHostClaims();
  claims.put("web", [claim("web/a", ["a.example.org"], { created: "2026-01-02T00:00:00Z" })]);
  claims.put("pay", [claim("pay/a", ["a.example.org"])]);
  expect([...claims.settle(nobody)].sort()).toEqual(["pay", "web"]);
  expect(claims.ownerOf("a.example.org")).toBe("pay/a");
  claims.settle(() => "web/a");
  expect(claims.ownerOf("a.example.org")).toBe("web/a");
  claims.put("pay", [claim("pay/a", ["a.example.org"], { isConfirmed: true })]);
  claims.settle(() => "web/a");
  expect(claims.ownerOf("a.example.org")).toBe("pay/a");
});

test("a dispute in which nothing changes touches nobody, and its end touches who has the host now", () => {
  const claims = createHostClaims();
  claims.put("web", [claim("web/a", ["a.example.org"])]);
  claims.put("pay", [claim("pay/a", ["a.example.org"], { created: "" })]);
  claims.settle(nobody);
  expect(claims.settle(nobody).size).toBe(0);
  claims.put("ops", [claim("ops/a", ["b.example.org"])]);
  expect(claims.settle(nobody).size).toBe(0);
  claims.put("web", []);
  expect([...claims.settle(nobody)]).toEqual(["pay"]);
  expect(claims.ownerOf("a.example.org")).toBe("pay/a");
  claims.put("pay", []);
  expect(claims.ownerOf("a.example.org")).toBeUndefined();
});

test("whatever was put before, owners are those that follow from what is asked for now", () => {
  const host = fc.constantFrom("a", "b", "c");
  const one = fc.record({
    name: fc.constantFrom("x", "y"),
    hosts: fc.uniqueArray(host, { maxLength: 2 }),
    isConfirmed: fc.boolean(),
    created: fc.constantFrom("", "1", "2"),
  });
  const put = fc.record({
    namespace: fc.constantFrom("n1", "n2", "n3"),
    claims: fc.uniqueArray(one, { maxLength: 2, selector: ({ name }) => name }),
    holder: fc.constantFrom("n1/x", "n2/y", ""),
  });
  fc.assert(
    fc.property(fc.array(put, { minLength: 1, maxLength: 8 }), (steps) => {
      const claims = createHostClaims();
      const now = new Map<string, readonly Claim[]>();
      const owners = new Map<string, string | undefined>();
      for (const { namespace, claims: own, holder } of steps) {
        const next = own.map(({ name, ...rest }) => ({ ...rest, key: `${namespace}/${name}` }));
        claims.put(namespace, next);
        now.set(namespace, next);
        const touched = claims.settle(() => holder);
        const fresh = createHostClaims();
        for (const [name, list] of now) fresh.put(name, list);
        fresh.settle(() => holder);
        for (const at of ["a", "b", "c"]) {
          const owner = claims.ownerOf(at);
          expect(owner).toBe(fresh.ownerOf(at));
          const rivals = [...now].filter(([, list]) => list.some(({ hosts }) => hosts.includes(at))).map(([name]) => name);
          if (owner !== owners.get(at)) for (const rival of rivals) if (rival !== namespace) expect(touched.has(rival)).toBe(true);
          owners.set(at, owner);
        }
      }
    }),
  );
});

test("thousands who ask for one host are settled once, not with each pass", () => {
  const claims = createHostClaims();
  claims.put(
    "bad",
    Array.from({ length: 5000 }, (_, i) => claim(`bad/${i}`, ["a.example.org"])),
  );
  let asked = 0;
  const holderOf = () => {
    asked++;
    return "bad/77";
  };
  claims.settle(holderOf);
  for (let pass = 0; pass < 1000; pass++) expect(claims.settle(holderOf).size).toBe(0);
  expect(asked).toBe(1001);
  expect(claims.ownerOf("a.example.org")).toBe("bad/77");
});
