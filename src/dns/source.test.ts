import { expect, test } from "vitest";
import { Transport } from "./counters.ts";
import { newSource, setSource } from "./source.ts";

const cases: readonly { address: string; v4?: number; v6?: string }[] = [
  { address: "192.0.2.1", v4: 0xc000_0201 },
  { address: "255.255.255.255", v4: 0xffff_ffff },
  { address: "::ffff:192.0.2.1", v4: 0xc000_0201 },
  { address: "::FFFF:c000:201", v4: 0xc000_0201 },
  { address: "2001:db8::1", v6: "20010db8000000000000000000000001" },
  { address: "fe80::1%eth0", v6: "fe800000000000000000000000000001" },
  { address: "::1", v6: "00000000000000000000000000000001" },
];
test.each(cases)("$address", ({ address, v4, v6 }) => {
  const source = newSource(Transport.UDP);
  expect(setSource(source, address)).toBe(true);
  expect(source.isV6).toBe(v6 !== undefined);
  if (v4 !== undefined) expect(source.v4).toBe(v4);
  else expect(Buffer.from(source.v6).toString("hex")).toBe(v6);
});

test("what is no address changes nothing", () => {
  const source = newSource(Transport.UDP);
  setSource(source, "192.0.2.1");
  for (const text of ["", "localhost", "192.0.2", "2001:db8::1::"]) expect(setSource(source, text)).toBe(false);
  expect(source).toMatchObject({ isV6: false, v4: 0xc000_0201 });
});
