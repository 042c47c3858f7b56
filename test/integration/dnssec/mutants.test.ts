/** Faults in what signs and denies, and the tests that must notice them. */
import { type Mutant, testMutants } from "../../support/mutants.ts";

const SIGN = "src/dns/dnssec/sign.test.ts";
const NSEC = "src/dns/dnssec/nsec.test.ts";
const TABLE = "src/dns/zone-signing.test.ts";
const KEYS = "src/dns/dnssec/key-file.test.ts";

const MUTANTS: readonly Mutant[] = [
  {
    name: "records are signed in the order they were written",
    file: "src/dns/dnssec/canonical.ts",
    text: ".sort(compareBytes);",
    becomes: ";",
    tests: [SIGN],
  },
  {
    name: "equal records are signed twice",
    file: "src/dns/dnssec/canonical.ts",
    text: "i === 0 || compareBytes(sorted[i - 1]!, one) !== 0",
    becomes: "i >= 0 || compareBytes(sorted[i - 1]!, one) !== 0",
    tests: [SIGN],
  },
  {
    name: "the second name of SOA keeps its capitals",
    file: "src/dns/dnssec/canonical.ts",
    text: "[Type.SOA]: { from: 0, count: 2 }",
    becomes: "[Type.SOA]: { from: 0, count: 1 }",
    tests: [SIGN],
  },
  {
    name: "numbers before SRV's name are taken for letters",
    file: "src/dns/dnssec/canonical.ts",
    text: "[Type.SRV]: { from: 6, count: 1 }",
    becomes: "[Type.SRV]: { from: 0, count: 7 }",
    tests: [SIGN],
  },
  {
    name: "a wildcard's asterisk counts as a label",
    file: "src/dns/dnssec/canonical.ts",
    text: "(isWildcard ? 1 : 0)",
    becomes: "(isWildcard ? 0 : 0)",
    tests: [SIGN],
  },
  {
    name: "names are ordered from their first label",
    file: "src/dns/dnssec/canonical.ts",
    text: "compareLabels(a, ofA.at(-i)!, b, ofB.at(-i)!)",
    becomes: "compareLabels(a, ofA.at(i - 1)!, b, ofB.at(i - 1)!)",
    tests: [NSEC],
  },
  {
    name: "the key tag has no carry",
    file: "src/dns/dnssec/zone-key.ts",
    text: "(sum + (sum >>> 16)) & 0xffff",
    becomes: "sum & 0xffff",
    tests: [SIGN],
  },
  {
    name: "inception and expiration change places",
    file: "src/dns/dnssec/sign.ts",
    text: "view.setUint32(8, expiration);\n  view.setUint32(12, inception);",
    becomes: "view.setUint32(12, expiration);\n  view.setUint32(8, inception);",
    tests: [SIGN],
  },
  {
    name: "bits of a type map are numbered from the lowest",
    file: "src/dns/dnssec/nsec.ts",
    text: "0x80 >>> (type & 7)",
    becomes: "1 << (type & 7)",
    tests: [NSEC],
  },
  {
    name: "windows are written as they come",
    file: "src/dns/dnssec/nsec.ts",
    text: ".sort((a, b) => a - b);",
    becomes: ";",
    tests: [NSEC],
  },
  {
    name: "a capital follows the at sign",
    file: "src/dns/dnssec/nsec.ts",
    text: "out[last] === 0x40 ? 0x5b : ",
    becomes: "",
    tests: [NSEC],
  },
  {
    name: "NS records of a delegation are signed",
    file: "src/dns/zone-table.ts",
    text: "node.cut === undefined || (node.cut === node.name && type === Type.DS)",
    becomes: "node.cut === undefined || node.cut === node.name",
    tests: [TABLE],
  },
  {
    name: "an NSEC does not know the types of its name's route",
    file: "src/dns/zone-nsec.ts",
    text: "...(route?.types ?? []), ",
    becomes: "",
    tests: [TABLE],
  },
  {
    name: "the NSEC of a delegation lists what lies behind it",
    file: "src/dns/zone-nsec.ts",
    text: "own.filter((type) => type === Type.DS)",
    becomes: "own.filter((type) => type !== Type.DS)",
    tests: [TABLE],
  },
  {
    name: "the parent is told to keep a retired key",
    file: "src/dns/dnssec/zone-signer.ts",
    text: 'state !== "Retired"',
    becomes: 'state !== "Published"',
    tests: [TABLE],
  },
  {
    name: "signatures are used until they end",
    file: "src/dns/dnssec/zone-signer.ts",
    text: "signature.expiration - now <= VALIDITY / 2",
    becomes: "signature.expiration - now <= 0",
    tests: [TABLE],
  },
  {
    name: "signatures of another key are used again",
    file: "src/dns/dnssec/zone-signer.ts",
    text: ".update(key.publicKey)",
    becomes: "",
    tests: [TABLE],
  },
  {
    name: "negative answers' SOA is signed with their TTL as the original one",
    file: "src/dns/zone-table.ts",
    text: "Type.SOA, soa.ttl, [soas[i]!]",
    becomes: "Type.SOA, negativeTtl(soa) - 1, [soas[i]!]",
    tests: [TABLE],
  },
  {
    name: "any curve will do",
    file: "src/dns/dnssec/key-file.ts",
    text: 'if (curve === "prime256v1") return decoded(key);',
    becomes: "if (curve !== undefined) return decoded(key);",
    tests: [KEYS],
  },
  {
    name: "a replaced key file is signed with",
    file: "src/dns/dnssec/key-file.ts",
    text: "!== active.publicKey",
    becomes: '=== ""',
    tests: [KEYS],
  },
];

testMutants(MUTANTS, ["src/model", "src/geo", "src/routing", "src/observe", "src/dns", "health"]);
