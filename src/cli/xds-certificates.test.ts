import { describe, expect, test } from "vitest";
import { readCertificates } from "../../test/support/tls/certificates.ts";
import { xdsCertificateEnds } from "./xds-certificates.ts";

const { ca, cert, expired, key } = readCertificates();
const FILES = { certificate: "/xds/tls.crt", key: "/xds/tls.key", clientCa: "/xds/ca.crt" };
const [LONG_AGO, LONG_HENCE] = [Date.UTC(2020, 1, 1), Date.UTC(2100, 0)];

describe("when certificates between Envoys and us end", () => {
  const ends = (certificate: string, clientCa: string): readonly (readonly [string, string])[] =>
    [...xdsCertificateEnds(FILES, { certificate: Buffer.from(certificate), key: Buffer.from(key), clientCa: Buffer.from(clientCa) })]
      .map(([path, end]) => [path, end === LONG_AGO ? "ended" : end > LONG_HENCE ? "lasts" : String(end)] as const)
      .sort();

  const cases: readonly { name: string; certificate: string; clientCa: string; told: readonly (readonly [string, string])[] }[] = [
    {
      name: "each is told by its file",
      ...{ certificate: cert, clientCa: expired },
      told: [
        ["/xds/ca.crt", "ended"],
        ["/xds/tls.crt", "lasts"],
      ],
    },
    {
      name: "the first certificate of a chain is the one that is shown",
      ...{ certificate: `${expired}${ca}`, clientCa: ca },
      told: [
        ["/xds/ca.crt", "lasts"],
        ["/xds/tls.crt", "ended"],
      ],
    },
    {
      name: "a new authority stands beside the one before, whichever comes first",
      ...{ certificate: cert, clientCa: `# before\n${expired}\n# renewed\n${ca}` },
      told: [
        ["/xds/ca.crt", "lasts"],
        ["/xds/tls.crt", "lasts"],
      ],
    },
    {
      name: "what is no certificate tells nothing",
      ...{ certificate: cert, clientCa: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" },
      told: [["/xds/tls.crt", "lasts"]],
    },
  ];
  test.each(cases)("$name", ({ certificate, clientCa, told }) => expect(ends(certificate, clientCa)).toEqual(told));

  test("one file for both is told once, as what is shown", () => {
    const tls = { certificate: Buffer.from(expired), key: Buffer.from(key), clientCa: Buffer.from(ca) };
    expect([...xdsCertificateEnds({ ...FILES, clientCa: FILES.certificate }, tls)]).toEqual([[FILES.certificate, LONG_AGO]]);
  });
});
