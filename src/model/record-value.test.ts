import { expect, test } from "vitest";
import { parseRecordValue } from "./record-value.ts";

test.each([
  ["A", "192.0.2.1", "192.0.2.1"],
  ["AAAA", "2001:DB8:0::1", "2001:db8::1"],
  ["CNAME", "www", "www.example.org."],
  ["CNAME", "@", "example.org."],
  ["NS", "NS1.example.net.", "ns1.example.net."],
  ["MX", "10 mail", "10 mail.example.org."],
  ["MX", "0  .", "0 ."],
  ["SRV", "10 5 443 www.example.net.", "10 5 443 www.example.net."],
  ["SRV", "0 0 0 .", "0 0 0 ."],
  ["CNAME", "_dmarc.example.net.", "_dmarc.example.net."],
  ["TXT", "v=spf1 -all", "v=spf1 -all"],
  ["TXT", '"one" "two"', '"one" "two"'],
  ["TXT", String.raw`"a \"quote\" and \\ and \255"`, String.raw`"a \"quote\" and \\ and \255"`],
  ["TXT", String.raw`\\300`, String.raw`\\300`],
  ["TXT", "x".repeat(700), "x".repeat(700)],
  ["CAA", "0 Issue ca.example.net", '0 issue "ca.example.net"'],
  ["CAA", '128 issuewild ";"', '128 issuewild ";"'],
  ["DS", `12345 13 2 ${"AB".repeat(20)} ${"cd".repeat(12)}`, `12345 13 2 ${"ab".repeat(20)}${"cd".repeat(12)}`],
  ["DS", `1 8 1 ${"00".repeat(20)}`, `1 8 1 ${"00".repeat(20)}`],
  ["DS", "1 250 250 0a", "1 250 250 0a"],
] as const)("%s %s is read as %s", (type, text, value) => expect(parseRecordValue(type, text, "example.org")).toEqual({ value }));

test.each([
  ["A", "2001:db8::1", "192.0.2.10"],
  ["AAAA", "192.0.2.1", "2001:db8::10"],
  ["CNAME", "www.example.org", "Write www.example.org. with its last dot."],
  ["CNAME", "www.example.net", "www.example.net.example.org."],
  ["CNAME", "192.0.2.1", "A and AAAA"],
  ["NS", "a b", "last dot"],
  ["NS", ".", "last dot"],
  ["MX", "mail", "10 mail.example.org."],
  ["MX", "70000 mail", "10 mail.example.org."],
  ["MX", "ten mail", "10 mail.example.org."],
  ["SRV", "10 443 www", "10 5 443"],
  ["TXT", '"unclosed', "double quotes"],
  ["TXT", '"a" b', "double quotes"],
  ["TXT", `"${"x".repeat(256)}"`, "255 bytes"],
  ["TXT", `"${"ü".repeat(128)}"`, "255 bytes"],
  ["TXT", String.raw`end\300`, "backslash"],
  ["TXT", String.raw`a\1b`, "backslash"],
  ["TXT", "ends with \\", "backslash"],
  ["CAA", "issue ca.example.net", "0 issue"],
  ["CAA", '256 issue "ca.example.net"', "0 issue"],
  ["CAA", '0 issue "a"b"', "0 issue"],
  ["DS", "12345 13 2", "64 hexadecimal digits"],
  ["DS", `70000 13 2 ${"ab".repeat(32)}`, "key tag, algorithm"],
  ["DS", `12345 13 2 ${"ab".repeat(20)}`, "64 hexadecimal digits"],
  ["DS", `12345 13 2 ${"ab".repeat(31)}a`, "64 hexadecimal digits"],
  ["DS", `12345 13 4 ${"ab".repeat(32)}`, "64 hexadecimal digits"],
] as const)("%s %s is refused", (type, text, remedy) => {
  expect(parseRecordValue(type, text, "example.org")).toMatchObject({
    fault: { code: "record-value", remedy: expect.stringContaining(remedy) },
  });
});
