import { expect, test } from "vitest";
import { parseIpv4 } from "./ip.ts";

test.each([
  { text: "0.0.0.0", bytes: [0, 0, 0, 0] },
  { text: "192.0.2.1", bytes: [192, 0, 2, 1] },
  { text: "255.255.255.255", bytes: [255, 255, 255, 255] },
])("$text is an address", ({ text, bytes }) => expect([...parseIpv4(text)!]).toEqual(bytes));

test.each([
  "",
  "192.0.2",
  "192.0.2.",
  ".192.0.2",
  "192..0.2",
  "192.0.2.1.",
  "192.0.2.1.1",
  "256.0.2.1",
  "192.0.2.1000",
  "01.2.3.4",
  "1.2.3.00",
  " 192.0.2.1",
  "192.0.2.1 ",
  "192.0.2.-1",
  "192.0.2.0x1",
  "192,0,2,1",
  "192.0.2.٣",
])("'%s' is none", (text) => expect(parseIpv4(text)).toBeUndefined());
