/** A zone that is signed for real, with its faults planted one by one. */
import { describe, expect, test } from "vitest";
import { newSigningKey } from "../../../test/support/zone-keys.ts";
import {
  NODATA,
  record,
  referral,
  reply,
  SOUND,
  soa,
  withDetail,
  withDetails,
  withParent,
  ZONE,
} from "../../../test/support/zone-observations.ts";
import { seconds } from "../../model/units.ts";
import { CDS_DELETE, encodeDs } from "../dnssec/ds.ts";
import { signRrset } from "../dnssec/sign.ts";
import { encodeDnskey, type SigningKey } from "../dnssec/zone-key.ts";
import { Type } from "../wire/codes.ts";
import type { DecodedRecord } from "../wire/decode-message.ts";
import { formatDs } from "../wire/format-dnssec.ts";
import { encodeName } from "../wire/name.ts";
import { encodeSoa } from "../wire/rdata.ts";
import { judgeZone } from "./judge-zone.ts";
import type { Observations, Reply, ZoneDetail } from "./observations.ts";
import type { Step, StepStatus } from "./step.ts";

const APEX = encodeName(ZONE)!;
const DAY = 86_400;

const [KEY, OTHER] = [newSigningKey(), newSigningKey()];

const dsOf = (key: SigningKey): Uint8Array => encodeDs(APEX, key);
const raw = (type: number, rdata: Uint8Array, data = ""): DecodedRecord => record(ZONE, type, data, 300, rdata);
const dsReply = (...keys: readonly SigningKey[]): Reply => reply({ answers: keys.map((key) => raw(Type.DS, dsOf(key))) });
const cdsReply = (...rdata: readonly Uint8Array[]): Reply => reply({ answers: rdata.map((one) => raw(Type.CDS, one)) });

const SOA_RDATA = encodeSoa(
  {
    ...{ mname: "ns1.example.org", rname: "hostmaster.example.org" },
    ...{ refresh: seconds(3600), retry: seconds(600), expire: seconds(1_209_600), minimum: seconds(30), ttl: seconds(300) },
  },
  7,
)!;

interface Signing {
  readonly key?: SigningKey;
  /** Keys in DNSKEY. */
  readonly keys?: readonly SigningKey[];
  /** Days from now. */
  readonly from?: number;
  readonly until?: number;
}

/** DNSKEY and SOA as a server shows them with DO. */
function signed({ key = KEY, keys = [key], from = -1, until = 5 }: Signing = {}): Pick<ZoneDetail, "dnskey" | "signedSoa"> {
  const dnskeys = keys.map(encodeDnskey);
  const sign = (type: number, rdata: readonly Uint8Array[]): DecodedRecord =>
    raw(Type.RRSIG, signRrset(key, APEX, APEX, type, 300, rdata, SOUND.now + from * DAY, SOUND.now + until * DAY));
  const soaReply = soa(7);
  const soaRecords = "message" in soaReply ? soaReply.message.answers : [];
  return {
    dnskey: reply({ answers: [...dnskeys.map((rdata) => raw(Type.DNSKEY, rdata)), sign(Type.DNSKEY, dnskeys)] }),
    // a server may shorten the names in its SOA: only what they stand for is signed
    signedSoa: reply({ answers: [...soaRecords, sign(Type.SOA, [SOA_RDATA])] }),
  };
}

const secure = (signing: Signing = {}, ds = dsReply(KEY)): Observations => withParent(referral(), ds, withDetails(signed(signing)));
const dnssec = (seen: Observations): Step => judgeZone(seen).find(({ name }) => name === "dnssec")!;

test("a secure zone", () => {
  const step = dnssec(secure());
  expect(step).toEqual({
    name: "dnssec",
    status: "ok",
    facts: [`DS ${KEY.tag} leads to the zone's keys, and the signatures of DNSKEY and SOA are valid for 5 d (at all servers)`],
  });
});

const cases: readonly {
  readonly name: string;
  readonly seen: Observations;
  readonly status: StepStatus;
  readonly says: RegExp;
  readonly advises: RegExp;
}[] = [
  {
    name: "a DS of another key",
    seen: secure({}, dsReply(OTHER)),
    status: "failed",
    says: new RegExp(`no DS at the parent is of a key in the zone: the parent has DS ${OTHER.tag}, the zone key ${KEY.tag}`),
    advises: new RegExp(`add \`example\\.org\\. DS ${formatDs(dsOf(KEY))}\` and remove \`example\\.org\\. DS ${formatDs(dsOf(OTHER))}\``),
  },
  {
    name: "a DS, and the zone is not signed",
    seen: withParent(referral(), dsReply(KEY)),
    status: "failed",
    says: /the parent has a DS, and ns1.* and ns2.* serve the zone unsigned: validating resolvers answer SERVFAIL/,
    advises: /remove `example\.org\. DS .*spec\.provider\.embedded\.dnssec/,
  },
  {
    name: "signed, and no DS",
    seen: secure({}, NODATA),
    status: "warning",
    says: /the zone is signed, and the parent has no DS/,
    advises: new RegExp(`add \`example\\.org\\. DS ${formatDs(dsOf(KEY))}\``),
  },
  {
    name: "one server is not signed",
    seen: withDetail({ dnskey: NODATA }, secure()),
    status: "failed",
    says: /ns2\.example\.org \(192\.0\.2\.54\) serves the zone unsigned/,
    advises: /signed zone/,
  },
  {
    name: "one server is not signed, before there is a DS",
    seen: withDetail({ dnskey: NODATA }, secure({}, NODATA)),
    status: "failed",
    says: /ns2\.example\.org \(192\.0\.2\.54\) serves the zone unsigned, and other servers serve it signed/,
    advises: /before the parent gets a DS/,
  },
  {
    name: "keys in the DNSZone that no server has",
    seen: { ...SOUND, expectation: { ...SOUND.expectation!, isSigned: true } },
    status: "failed",
    says: /DNSZone example-org has keys \(dnssec\), and no server answers DNSKEY/,
    advises: /DNSZone/,
  },
  {
    name: "ended signatures",
    seen: secure({ from: -9, until: -2 }),
    status: "failed",
    says: /the signature of DNSKEY ended 2 d ago/,
    advises: /signed again/,
  },
  {
    name: "signatures of tomorrow",
    seen: secure({ from: 1, until: 5 }),
    status: "failed",
    says: /the signature of SOA begins in 1 d/,
    advises: /clock/,
  },
  {
    name: "signatures that end soon",
    seen: secure({ until: 0.5 }),
    status: "warning",
    says: /the signature of DNSKEY ends in 12 h/,
    advises: /signer runs/,
  },
  {
    name: "signatures of a key that no DS leads to",
    seen: secure({ key: OTHER, keys: [KEY, OTHER] }),
    status: "failed",
    says: new RegExp(`DNSKEY is signed by key ${OTHER.tag}, and no signature of it is valid by a key that counts`),
    advises: /signed again/,
  },
  {
    name: "an SOA that was changed after it was signed",
    seen: withDetails({ signedSoa: reply({ answers: [...answers(soa(8)), ...answers(signed().signedSoa).slice(1)] }) }, secure()),
    status: "failed",
    says: /SOA is signed by key/,
    advises: /signed again/,
  },
  {
    name: "no signature at all",
    seen: withDetails({ signedSoa: soa(7) }, secure()),
    status: "failed",
    says: /SOA has no signature/,
    advises: /signed again/,
  },
  {
    name: "a DS too many",
    seen: secure({}, dsReply(KEY, OTHER)),
    status: "warning",
    says: new RegExp(`DS ${OTHER.tag} at the parent is of no key in the zone`),
    advises: /Remove `example\.org\. DS/,
  },
  {
    name: "CDS asks for another DS",
    seen: withDetails({ cds: cdsReply(dsOf(KEY), dsOf(OTHER)) }, secure({ keys: [KEY, OTHER] })),
    status: "warning",
    says: /the zone asks for another DS \(CDS\)/,
    advises: new RegExp(`add \`example\\.org\\. DS ${formatDs(dsOf(OTHER))}\`\\.`),
  },
  {
    name: "CDS asks for no DS",
    seen: withDetails({ cds: cdsReply(CDS_DELETE) }, secure()),
    status: "warning",
    says: /asks for its DS to be removed/,
    advises: /remove `example\.org\. DS/,
  },
];

function answers(of: Reply): readonly DecodedRecord[] {
  return "message" in of ? of.message.answers : [];
}

describe("a fault", () => {
  test.each(cases)("$name", ({ seen, status, says, advises }) => {
    const step = dnssec(seen);
    expect(step.facts.join("\n")).toMatch(says);
    expect(step.status).toBe(status);
    expect(step.remedy).toMatch(advises);
  });
});

test("a zone that asks for no DS has none", () => {
  expect(dnssec(withDetails({ cds: cdsReply(CDS_DELETE) }, secure({}, NODATA)))).toMatchObject({
    status: "ok",
    facts: [expect.stringContaining("asks for no DS")],
  });
});

test("a fault of one server is told of that one", () => {
  const seen = withDetail(signed({ from: -9, until: -2 }), secure());
  expect(dnssec(seen).facts[0]).toBe("the signature of DNSKEY ended 2 d ago (at ns2.example.org (192.0.2.54))");
});
