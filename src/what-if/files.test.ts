/** Files of people: lists of clients, and of load. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readClientFile } from "./client-file.ts";
import { readLoadFile } from "./load-file.ts";

describe("a list of clients", () => {
  test("comments, blank lines, quotes, capitals and Windows are fine", () => {
    const file = readClientFile(
      '\uFEFF# from the logs\r\nNetwork,Weight\r\n\r\n"198.51.100.7/24",2.5\r\n2001:db8::/48,0\r\n192.0.2.1,1\r\n',
    );
    expect(file).toMatchObject({
      unit: "weight",
      list: [
        { line: 4, weight: 2.5, network: { length: 24 } },
        { line: 6, weight: 1 },
      ],
    });
    // Bits behind the length are cut off.
    expect("list" in file && [...file.list[0]!.network.bytes]).toEqual([198, 51, 100, 0]);
  });
  test("the name of the column says that weights are load", () =>
    expect(readClientFile("requests_per_second,network\n5,192.0.2.0/24")).toMatchObject({ unit: "requests/s" }));

  test.each([
    { name: "nothing", text: "# only this\n", line: 1, says: /^the file is empty\. Write a first line such as network,weight/ },
    { name: "an unknown column", text: "network,wieght\n", line: 1, says: /^there is no column "wieght"/ },
    { name: "a column too few", text: "\nweight\n1", line: 2, says: /^the columns are weight\. Write a first line/ },
    { name: "a column twice", text: "network,weight,weight\n192.0.2.1,1,1", line: 1, says: /^the columns are/ },
    { name: "a cell too many", text: "network,weight\n192.0.2.1,1,1", line: 2, says: /^has 3 cells, and the first line 2\./ },
    { name: "no row", text: "network,weight\n", line: 1, says: /^no row follows/ },
    {
      name: "no address",
      text: "network,weight\n192.0.2.1,1\n192.0.2.256,1",
      line: 3,
      says: /^"192\.0\.2\.256" is no address or network\. Write/,
    },
    { name: "no number", text: "network,weight\n192.0.2.1,-1", line: 2, says: /^"-1" is no number of 0 or more\. Write/ },
    { name: "nobody", text: "network,weight\n192.0.2.1,0", line: 1, says: /^no client has a weight above 0/ },
  ])("refuses $name, with its line", ({ text, line, says }) =>
    expect(readClientFile(text)).toEqual({ line, message: expect.stringMatching(says) }),
  );
});

describe("a file of load", () => {
  const find = (name: string) => (["web/shop", "shop"].includes(name) ? "web/shop" : undefined);

  test("times and routes are optional", () => {
    expect(readLoadFile("country,requests_per_second\nDE,10\n*,1e3", find)).toEqual({
      rows: [
        { country: "DE", requestsPerSecond: 10, time: "", route: "" },
        { country: "*", requestsPerSecond: 1000, time: "", route: "" },
      ],
    });
    expect(readLoadFile("time,route,country,requests_per_second\n20:00,shop,JP,5", find)).toEqual({
      rows: [{ country: "JP", requestsPerSecond: 5, time: "20:00", route: "web/shop" }],
    });
  });

  test.each([
    { name: "a code that is none", text: "country,requests_per_second\nUK,1", line: 2, says: /^"UK" is not a country\. Write GB/ },
    { name: "no number", text: "country,requests_per_second\nDE,many", line: 2, says: /^"many" is no number/ },
    {
      name: "no such route",
      text: "country,requests_per_second,route\nDE,1,cart",
      line: 2,
      says: /^there is no route "cart"\. Write NAMESPACE\/NAME/,
    },
  ])("refuses $name, with its line", ({ text, line, says }) =>
    expect(readLoadFile(text, find)).toEqual({ line, message: expect.stringMatching(says) }),
  );
});

test("the examples of docs/simulate.md are such files", () => {
  const page = readFileSync(new URL("../../docs/simulate.md", import.meta.url), "utf8");
  const [clients, load, ...others] = [...page.matchAll(/```csv\n([^`]+)```/g)].map(([, text]) => text!);
  expect(others).toEqual([]);
  expect(readClientFile(clients!)).toMatchObject({ unit: "requests/s", list: [{ weight: 120 }, { weight: 30 }, { weight: 4.5 }] });
  expect(readLoadFile(load!, (name) => name)).toMatchObject({ rows: { length: 4 } });
});
