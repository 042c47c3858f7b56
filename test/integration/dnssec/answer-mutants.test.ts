/** Faults in signed answers, in what keeps signatures and in what queues for them, and the tests that must notice them. */
import { type Mutant, testMutants } from "../../support/mutants.ts";

const ANSWERS = "src/dns/answer-signed.test.ts";
const CACHE = "src/dns/slow/signature-cache.test.ts";
const RINGS = "src/dns/slow/rings.test.ts";
const PINNED = "src/dns/slow/pinned-signatures.test.ts";

const MUTANTS: readonly Mutant[] = [
  {
    name: "a query that is handed on has lost what an answer was written over",
    file: "src/dns/answer.ts",
    text: "if (mayDefer) restoreTail(",
    becomes: "if (!mayDefer) restoreTail(",
    tests: [ANSWERS],
  },
  {
    name: "addresses are signed in the order they are answered in",
    file: "src/dns/route-answer.ts",
    text: "  sortAddresses(addresses, count, bytes, size);\n",
    becomes: "",
    tests: [ANSWERS],
  },
  {
    name: "the original TTL is the answer's",
    file: "src/dns/route-answer.ts",
    text: "return sign(tables, query.type, ttl, originalTtl, out, context);",
    becomes: "return sign(tables, query.type, ttl, ttl, out, context);",
    tests: [ANSWERS],
  },
  {
    name: "whoever says CO is told NOERROR",
    file: "src/dns/denial.ts",
    text: "rcode === Rcode.NXDOMAIN && !query.compactOk",
    becomes: "rcode === Rcode.NXDOMAIN",
    tests: [ANSWERS],
  },
  {
    name: "a wildcard's own signature is passed off as that of a name it makes",
    file: "src/dns/answer.ts",
    text: "  if (isByWildcard(context)) return signRecords(tables, zones.setType[set]!, first, out, context);\n",
    becomes: "",
    tests: [ANSWERS],
  },
  {
    name: "DS of an inner zone is denied by the inner zone",
    file: "src/dns/answer.ts",
    text: "  found.encloser = side;\n  found.node = side;\n",
    becomes: "",
    tests: [ANSWERS],
  },
  {
    name: "an answer that does not fit is signed all the same",
    file: "src/dns/signed-answer.ts",
    text: "if (reply.overflow || end > reply.limit) {",
    becomes: "if (end > 0x7fff_ffff) {",
    tests: [ANSWERS],
  },
  {
    name: "a referral to a child that is not signed has no proof of it",
    file: "src/dns/denial.ts",
    text: "reply.authorities += copyNsec(zones, zones.nodeNsec[3 * cut]!, owner, out, reply);",
    becomes: "reply.authorities += 0;",
    tests: [ANSWERS],
  },
  {
    name: "a signature is used until the second in which it ends",
    file: "src/dns/signed-answer.ts",
    text: "zone, set, 2 * ttl, now,",
    becomes: "zone, set, 0, now,",
    tests: [ANSWERS],
  },
  {
    name: "a reader does not look whether an entry has changed meanwhile",
    file: "src/dns/slow/signature-cache.ts",
    text: "      if (Atomics.load(words, entry) !== sequence) continue;\n",
    becomes: "",
    tests: [CACHE],
  },
  {
    name: "three words of a key are enough",
    file: "src/dns/slow/signature-cache.ts",
    text: "for (let i = 0; i < KEY_WORDS; i++) if (Atomics.load(words, entry + KEY + i) !== key[i]) return false;",
    becomes: "for (let i = 0; i < 3; i++) if (Atomics.load(words, entry + KEY + i) !== key[i]) return false;",
    tests: [CACHE],
  },
  {
    name: "two consumers take the same query",
    file: "src/dns/slow/rings.ts",
    text: "if (Atomics.compareExchange(control, At.Head, head, (head + 1) | 0) !== head) continue;",
    becomes: "Atomics.store(control, At.Head, (head + 1) | 0);",
    tests: [RINGS],
  },
  {
    name: "a network's share is never given back",
    file: "src/dns/slow/rings.ts",
    text: "    Atomics.sub(shares, out.network, 1);\n",
    becomes: "",
    tests: [RINGS],
  },
  {
    name: "signatures are taken over from earlier tables however old they are",
    file: "src/dns/slow/pinned-signatures.ts",
    text: "set.hash, now + RENEWAL, stampOf(now)",
    becomes: "set.hash, now, stampOf(now)",
    tests: [PINNED],
  },
];

testMutants(MUTANTS, ["src", "health"]);
