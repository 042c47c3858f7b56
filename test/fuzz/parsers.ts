/** The functions that read what strangers send. The fuzzer must reach every block of them. */
export const PARSERS: ReadonlyMap<string, readonly string[]> = new Map([
  ["src/dns/wire/query.ts", ["decodeQuery", "decodeQuestion", "decodeRecords", "skipName", "decodeOptions"]],
  ["src/dns/wire/client-subnet.ts", ["decodeClientSubnet", "encodeClientSubnet"]],
  ["src/dns/cookies.ts", ["checkCookie"]],
  ["src/dns/chaos.ts", ["answerChaos", "isOneOf"]],
  ["src/dns/rate-limit.ts", ["setPrefix", "charge"]],
  ["src/dns/zone-lookup.ts", ["findName", "findSet"]],
]);
