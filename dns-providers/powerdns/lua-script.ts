/**
 * The script that answers for one route and family: who is the client, which pool serves it, which of the pool's addresses does it get. Pure.
 *
 * Country codes lie in one text that is searched (`,de,fr,:1;,us,ca,:2;`), because a server ends a script after a thousand steps, and a table of
 * countries would take a step for each.
 *
 * ```
 * local g=countryCode():lower()                      what the client is looked up by
 * local p do p=n(',de,fr,:1;,us,:2;') or '0' end     its pool; a branch for each kind of network and AS number that rules name
 * if p=='0' then local r=pdnsrandom(4) if r<3 then return {'192.0.2.1',} end return {'192.0.2.2',} end
 * if p=='1' then return {'192.0.2.1',} end
 * return {'192.0.2.2',}
 * ```
 */
import { type Branch, type ClientCut, OTHER_ASN, UNKNOWN_ASN, UNKNOWN_SUBDIVISION } from "./client-cut.ts";
import { list, literal, longLiteral } from "./lua-text.ts";
import type { Pool } from "./serving-pools.ts";

/** Who is asked for what, without addresses: routes of one policy and equal health share it. */
export interface ClientScript extends Script {
  /** Those that some client is served by; `p` is an index. */
  readonly pools: readonly Pool[];
}

export interface ScriptInput {
  readonly client: ClientScript;
  /** Of a member of a pool. */
  readonly addressesOf: (position: number) => readonly string[];
  /** Addresses of one backend in an answer, at most. */
  readonly answers: number;
  /** Backends in an answer, at most. */
  readonly spread: number;
  /** Clients of one /24 or /48 get the same answer while nothing changes. */
  readonly isSticky: boolean;
  /** Of the route, 32 bits, so that the clients of several routes do not move in step. */
  readonly seed: number;
}

export interface Script {
  readonly tokens: readonly string[];
  /** Instructions of Lua's machine that an answer takes at most, estimated from above. */
  readonly steps: number;
}

/** What `lua-records-exec-limit` allows unless told otherwise is 1,000. */
export const MAX_STEPS = 900;

/** Whether the content of a LUA record of ours asks where its client is. */
export const isGeographic = (content: string): boolean => content.includes("countryCode()") || content.includes("asnum(");

export function writeScript(input: ScriptInput): Script {
  const { client } = input;
  const pools = client.pools.map((pool) => writePool(pool, input));
  const needs = new Set(pools.flatMap(({ needs: needed }) => needed));
  const helpers = [...(input.isSticky && needs.size > 0 ? writeHash(input.seed) : []), ...writeHelpers(needs, input)];
  const chain = pools.flatMap(({ tokens }, i) =>
    i === pools.length - 1 ? tokens : [`if p==${literal(String(i))} then `, ...tokens, "end "],
  );
  return {
    tokens: [...helpers, ...client.tokens, ...chain],
    steps: 80 + client.steps + 3 * pools.length + Math.max(...pools.map(({ steps }) => steps)),
  };
}

/** Tokens that leave the number of the client's pool in `p`; none when there is but one. @param poolOf of a class of clients */
export function writeClient({ parts, networks, asns, subdivisions, branches }: ClientCut, poolOf: (cls: number) => Pool): ClientScript {
  const classes = new Set(branches.flatMap((branch) => [branch.otherwise, ...branch.classes.values()]));
  const numbers = new Map<string, number>();
  const pools: Pool[] = [];
  const number = (cls: number): number => {
    const pool = poolOf(cls);
    const key = JSON.stringify(pool);
    const known = numbers.get(key) ?? pools.push(pool) - 1;
    numbers.set(key, known);
    return known;
  };
  const poolOfClass: ReadonlyMap<number, number> = new Map(Array.from(classes, (cls) => [cls, number(cls)]));
  if (pools.length === 1) return { pools, tokens: [], steps: 0 };

  const texts = branches.map((branch) => spotsByPool(branch, poolOfClass));
  const bare = branches.map((branch, i) => ({ branch, spots: texts[i]!, otherwise: String(poolOfClass.get(branch.otherwise)!) }));
  const named = new Set(subdivisions.map((code) => code.slice(0, 2)));
  const all = texts.join("");
  const country = [
    "local g=countryCode():lower() ",
    // the codes that stand for "unknown", of geo data and of the server
    ...(all.includes("+") ? ["if g=='--'or g=='xx'or g=='zz'then g='+'..continentCode():lower() end "] : []),
    ...(named.size === 0 ? [] : writeSubdivision([...named], subdivisions)),
    "local function n(m) local i=m:find(','..g..',',1,true) return i and m:match(':(%d+)',i) end ",
  ];
  const isByNetwork = branches.some(({ subnetGroup }) => subnetGroup !== 0);
  const isByAsn = branches.some(({ asnGroup }) => asnGroup !== OTHER_ASN);
  return {
    pools,
    tokens: [
      ...(all === "" ? [] : country),
      ...(isByNetwork ? writeNetworks(parts, networks) : []),
      ...(isByAsn ? writeAsns(asns) : []),
      ...writeBranches(bare),
    ],
    steps:
      60 +
      all.length / 200 +
      6 * branches.length +
      sum(networks.map(({ networks: held }) => 6 + held.length)) +
      sum(parts.map(({ networks: held }) => 10 + 14 * held.length)) +
      sum(asns.map(({ numbers: held }) => 8 + held.length)),
  };
}

/** `,de,fr,:1;` for each pool but that of everybody else. */
function spotsByPool({ classes, otherwise }: Branch, poolOfClass: ReadonlyMap<number, number>): string {
  const rest = poolOfClass.get(otherwise)!;
  const spots = Map.groupBy(classes.keys(), (spot) => poolOfClass.get(classes.get(spot)!)!);
  const others = [...spots].filter(([pool]) => pool !== rest).sort(([a], [b]) => a - b);
  return others.map(([pool, names]) => `,${names.sort().join()},:${pool};`).join("");
}

/** What is known of a client's subdivision becomes part of what it is looked up by, in countries in which rules name some. */
function writeSubdivision(countries: readonly string[], subdivisions: readonly string[]): readonly string[] {
  return [
    "if (",
    ...longLiteral(`,${countries.join()},`),
    "):find(','..g..',',1,true) then local r=regionCode():lower() ",
    `if r=='--'then g=g..${literal(`-${UNKNOWN_SUBDIVISION}`)} elseif (`,
    ...longLiteral(`,${subdivisions.join()},`),
    "):find(','..g..'-'..r..',',1,true) then g=g..'-'..r end end ",
  ];
}

/** Leaves the subnet group in `s`. `w(t)`: the client subnet is wider than a network of the list and has it in it. */
function writeNetworks(parts: ClientCut["parts"], networks: ClientCut["networks"]): readonly string[] {
  const wider = [
    "local function w(t) if not ecswho then return end local b=ecswho:getBits() ",
    "for i=1,#t,2 do if b<t[i+1] and ecswho:match(t[i]) then return true end end end ",
  ];
  const pairs = (texts: readonly string[]): readonly string[] => [
    "{",
    ...texts.map((text) => `${literal(text.split("/")[0]!)},${Number(text.split("/")[1])},`),
    "}",
  ];
  const tests = [
    ...parts.map(({ group, networks: texts }) => ({ group, call: "w", texts: pairs(texts) })),
    ...networks.map(({ group, networks: texts }) => ({ group, call: "netmask", texts: list(texts) })),
  ];
  const chain = tests.flatMap(({ group, call, texts }, i) => [`${i === 0 ? "if " : "elseif "}${call}(`, ...texts, `) then s=${group} `]);
  return [...(parts.length > 0 ? wider : []), "local s=0 ", ...chain, "end "];
}

/** Leaves the group of AS numbers in `a`. A client's number that is not known is the text `unknown` there. */
function writeAsns(asns: ClientCut["asns"]): readonly string[] {
  const tests = asns.flatMap(({ group, numbers }) => ["elseif asnum(", ...list(numbers.map(String)), `) then a=${group} `]);
  return [`local a=${OTHER_ASN} if asnum('unknown') then a=${UNKNOWN_ASN} `, ...tests, "end "];
}

/** The last branch of a subnet group is for all other AS numbers, the last of all for all other clients. */
function writeBranches(
  branches: readonly { readonly branch: Branch; readonly spots: string; readonly otherwise: string }[],
): readonly string[] {
  const set = (spots: string, otherwise: string): readonly string[] =>
    spots === "" ? [`p=${literal(otherwise)} `] : ["p=n(", ...longLiteral(spots), `) or ${literal(otherwise)} `];
  const tests = branches.flatMap(({ branch, spots, otherwise }, i) => {
    const isLastOfGroup = branches[i + 1]?.branch.subnetGroup !== branch.subnetGroup;
    const isLast = i === branches.length - 1;
    const terms = [...(branch.subnetGroup === 0 ? [] : [`s==${branch.subnetGroup}`]), ...(isLastOfGroup ? [] : [`a==${branch.asnGroup}`])];
    const head = isLast ? (i === 0 ? "do " : "else ") : `${i === 0 ? "if " : "elseif "}${terms.join(" and ")} then `;
    return [head, ...set(spots, otherwise)];
  });
  return ["local p ", ...tests, "end "];
}

/** Largest prime below 2²⁶: products of two numbers below it are exact in a double. */
const PRIME = 67_108_859;

/** `h`: the client's /24 or /48 and the route. `u(m)`: a number in (0, 1) that follows from it and from `m`. */
const writeHash = (seed: number): readonly string[] => [
  "local b={bestwho:getRaw():byte(1,6)} ",
  "local x,y=b[1]*65536+b[2]*256+b[3],0 ",
  "if bestwho:isIPv6() then y=b[4]*65536+b[5]*256+b[6]+1 end ",
  `local h=(x*26544357+y*40503+${(seed >>> 0) % PRIME})%${PRIME} `,
  `h=(h*h+x)%${PRIME} `,
  `local function u(m) local z=(h*16777619+m)%${PRIME} z=(z*z+m)%${PRIME} z=(z*2654435+h)%${PRIME} return (z+0.5)/${PRIME} end `,
];

type Helper = "cut" | "rank";

/**
 * `c(o,t)` adds addresses to an answer, neighbours when there are more than fit. `k(t)` takes backends by weighted rendezvous: the least
 * −ln(u)/weight; with dice instead of a hash that is a draw in proportion to weights, again and again without putting back.
 */
function writeHelpers(needs: ReadonlySet<Helper>, { answers, spread, isSticky }: ScriptInput): readonly string[] {
  const cut = [
    "local function c(o,t) local q=#t local f=0 ",
    `if q>${answers} then f=${isSticky ? "h%q" : "pdnsrandom(q)"} end `,
    `for i=0,math.min(${answers},q)-1 do o[#o+1]=t[(f+i)%q+1] end return o end `,
  ];
  const rank = [
    `local function k(t) local o={} for j=1,${spread} do local w,l `,
    "for i=1,#t do local e=t[i] if not e.x then ",
    `local v=-math.log(${isSticky ? "u(e.m)" : "(pdnsrandom(1073741824)+0.5)/1073741824"})/e.w `,
    "if not l or v<l then w,l=e,v end end end ",
    "if w then w.x=1 c(o,w.t) end end return o end ",
  ];
  return [...(needs.size > 0 ? cut : []), ...(needs.has("rank") ? rank : [])];
}

interface PoolScript extends Script {
  readonly needs: readonly Helper[];
}

/** Tokens of a statement that ends the script. */
function writePool(pool: Pool, { addressesOf, answers, spread, isSticky }: ScriptInput): PoolScript {
  if (pool.kind === "Nothing") return { tokens: ["error('nothing may be answered') "], steps: 4, needs: [] };
  if (pool.kind === "NotOffered") return { tokens: ["return {} "], steps: 2, needs: [] };
  const members = pool.members.map((member) => ({ ...member, addresses: addressesOf(member.position) }));
  const counts = members.map(({ addresses }) => addresses.length);
  const stepsToCut = 30 + 9 * answers;
  if (members.length > 1 && (isSticky || spread > 1)) {
    const entries = members.flatMap(({ weight, hash, addresses }) => [`{w=${weight},m=${hash % PRIME},t=`, ...list(addresses), "},"]);
    const rounds = Math.min(spread, members.length);
    return {
      tokens: ["return k({", ...entries, "}) "],
      steps: 5 * members.length + sum(counts) + rounds * (28 * members.length + stepsToCut) + 6 * spread,
      needs: ["cut", "rank"],
    };
  }
  const isCut = Math.max(...counts) > answers;
  const give = (addresses: readonly string[]): readonly string[] =>
    addresses.length > answers ? ["return c({},", ...list(addresses), ") "] : ["return ", ...list(addresses), " "];
  const steps = Math.max(...counts) + (isCut ? stepsToCut : 2);
  if (members.length === 1) return { tokens: give(members[0]!.addresses), steps, needs: isCut ? ["cut"] : [] };
  let below = 0;
  const draws = members.flatMap(({ weight, addresses }, i) => {
    below += weight;
    return i === members.length - 1 ? give(addresses) : [`if r<${below} then `, ...give(addresses), "end "];
  });
  const total = sum(members.map(({ weight }) => weight));
  return { tokens: [`local r=pdnsrandom(${total}) `, ...draws], steps: steps + 8 + 3 * members.length, needs: isCut ? ["cut"] : [] };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
