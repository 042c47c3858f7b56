/** RFC 5001, Name server identifier; RFC 4892, which server answers. The suite's servers are started with both. */
import { expect, test } from "vitest";
import { Rcode, Type } from "../../../src/dns/wire/codes.ts";
import { type Conformance, encode } from "../../support/conformance/suite.ts";

const NSID = 3;
const CH = 3;

/** A query whose OPT has an empty NSID option. */
function withNsid(name: string): Uint8Array {
  const query = Uint8Array.from([...encode({ name, type: Type.A, edns: {} }), 0, NSID, 0, 0]);
  query[query.length - 5] = 4; // RDLEN
  return query;
}

/** @param nsid,version what the servers were told to say */
export const rfc5001 =
  (nsid: string, version: string) =>
  ({ send, ask }: Conformance): void => {
    test("§2.1 who asks is told, also with negative answers and errors", async () => {
      for (const name of ["shop.example.org", "no.example.org", "www.example.net"]) {
        const options = (await send(withNsid(name))).edns?.options;
        expect(
          options?.filter(({ code }) => code === NSID).map(({ data }) => Buffer.from(data).toString()),
          name,
        ).toEqual([nsid]);
      }
    });

    test("§2.1 who does not ask is not", async () => {
      expect((await ask({ name: "shop.example.org", type: Type.A, edns: {} })).edns?.options).toEqual([]);
    });

    test("RFC 4892 §2 id.server and version.bind, of class CH", async () => {
      for (const [name, text] of [
        ["id.server", nsid],
        ["hostname.bind", nsid],
        ["version.bind", version],
        ["VERSION.BIND", version],
      ] as const) {
        expect((await ask({ name, type: Type.TXT, class: CH })).answers, name).toMatchObject([{ name, class: CH, data: `"${text}"` }]);
      }
    });

    test("other names and types of class CH are refused", async () => {
      expect((await ask({ name: "authors.bind", type: Type.TXT, class: CH })).rcode).toBe(Rcode.REFUSED);
      expect((await ask({ name: "shop.example.org", type: Type.A, class: CH })).rcode).toBe(Rcode.REFUSED);
    });
  };
