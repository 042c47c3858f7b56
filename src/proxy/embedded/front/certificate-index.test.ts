import { describe, expect, test } from "vitest";
import { type Certificate, certificateFor, coversHost, indexCertificates, readAlternativeNames } from "./certificate-index.ts";

const certificate = (path: string, names: readonly string[], notAfter = 1, isDefault = false): Certificate<string> => ({
  path,
  names,
  notAfter,
  isDefault,
  context: path,
});

describe("the certificate of a host", () => {
  const index = indexCertificates([
    certificate("wild", ["*.example.org"]),
    certificate("shop", ["shop.example.org", "cart.shop.example.org"]),
    certificate("other", ["other.example.org"], 1, true),
  ]);
  const cases: readonly { readonly name: string; readonly host: string | undefined; readonly gets: string | undefined }[] = [
    { name: "its own before a wildcard's", host: "shop.example.org", gets: "shop" },
    { name: "whatever the case, and with a final dot", host: "Cart.SHOP.example.org.", gets: "shop" },
    { name: "a wildcard's", host: "blog.example.org", gets: "wild" },
    { name: "a wildcard stands for one label", host: "a.blog.example.org", gets: undefined },
    { name: "a wildcard stands for a label at all", host: "example.org", gets: undefined },
    { name: "the wildcard itself is no host", host: ".example.org", gets: undefined },
    { name: "none for strangers", host: "shop.example.net", gets: undefined },
    { name: "the default for who names none", host: undefined, gets: "other" },
  ];
  test.each(cases)("$name", ({ host, gets }) => expect(certificateFor(index, host)?.context).toBe(gets));

  test("of two for one name the one that lasts longer, in either order", () => {
    const [old, renewed] = [certificate("a", ["shop.example.org"], 1), certificate("b", ["shop.example.org"], 2)];
    for (const both of [
      [old, renewed],
      [renewed, old],
    ])
      expect(certificateFor(indexCertificates(both), "shop.example.org")?.context).toBe("b");
  });

  test("no default, nothing for who names none", () => {
    expect(certificateFor(indexCertificates([certificate("a", ["a.example.org"])]), undefined)).toBeUndefined();
  });
});

test.each([
  { host: "shop.example.org", covered: true },
  { host: "a.example.org", covered: true },
  { host: "a.b.example.org", covered: false },
  { host: "example.net", covered: false },
  { host: "localhost", covered: false },
  { host: "192.0.2.1", covered: true },
  { host: "192.0.2.2", covered: false },
  { host: "[2001:DB8:0::1]", covered: true },
  { host: "", covered: false },
])("$host covered: $covered", ({ host, covered }) => {
  expect(coversHost({ names: ["shop.example.org", "*.example.org", "192.0.2.1", "2001:db8::1"] }, host)).toBe(covered);
});

test("alternative names as Node writes them", () => {
  const text =
    'DNS:Shop.example.org, DNS:*.example.org, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1, email:a@example.org, DNS:"a, DNS:b", DNS:*, DNS:a*.example.org';
  expect(readAlternativeNames(text)).toEqual(["shop.example.org", "*.example.org", "192.0.2.1", "2001:db8::1"]);
  expect(readAlternativeNames(undefined)).toEqual([]);
});
