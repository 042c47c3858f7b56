import { expect, test } from "vitest";
import { haproxyHttp } from "../../../test/support/haproxy/haproxy-routes.ts";
import { ms } from "../../model/units.ts";
import { DEFAULT_HTTP, type HaproxyHttp, httpOf, type TryRules, tryRules, unfollowedByHaproxy } from "./http-rules.ts";

const FAILURES = ["conn-failure", "empty-response"];
const within = (request: number, patience: number, retry: Partial<HaproxyHttp["retry"]> = {}): HaproxyHttp =>
  haproxyHttp(patience, retry, { requestTimeout: ms(request) });

const cases: readonly { name: string; http: HaproxyHttp; rules: Partial<TryRules>; unfollowed?: readonly string[] }[] = [
  {
    name: "a route that says nothing",
    http: DEFAULT_HTTP,
    rules: {
      ...{ patience: 10_000, patienceOnce: 60_000, retries: 2, leavesSilent: true, unnamed: [] },
      retryOn: [...FAILURES, "response-timeout", 502, 503, 504],
    },
  },
  {
    name: "statuses that HAProxy cannot go by are left out and told",
    http: haproxyHttp(1000, { codes: [599, 503, 429, 404] }),
    rules: { retryOn: [...FAILURES, "response-timeout", 404, 503], unnamed: [502, 504] },
    unfollowed: ["retry.codes 599, 429"],
  },
  {
    name: "more attempts than there are clusters to try",
    http: haproxyHttp(1000, { attempts: 5 }),
    rules: { retries: 2 },
    unfollowed: ["retry.attempts above 2"],
  },
  { name: "one attempt", http: haproxyHttp(1000, { attempts: 1 }), rules: { retries: 1 } },
  {
    name: "no attempts: what could not be sent goes elsewhere, and statuses do not matter",
    http: haproxyHttp(1000, { attempts: 0, codes: [599] }),
    rules: { retries: 2, retryOn: ["conn-failure"], leavesSilent: false, unnamed: [] },
  },
  {
    name: "three tries fit into the request's time",
    http: within(3000, 1000),
    rules: { patience: 1000, patienceOnce: 3000, leavesSilent: true },
    unfollowed: ["timeouts.request once a response has begun"],
  },
  {
    name: "three tries do not fit, so who is silent is not left",
    http: within(2999, 1000),
    rules: { patience: 1000, patienceOnce: 2999, leavesSilent: false, retryOn: [...FAILURES, 502, 503, 504] },
    unfollowed: ["timeouts.request once a response has begun", "retry.attempts after silence (3 × 1s is longer than timeouts.request)"],
  },
  {
    name: "fewer tries fit",
    http: within(2000, 1000, { attempts: 1 }),
    rules: { leavesSilent: true },
    unfollowed: ["timeouts.request once a response has begun"],
  },
  {
    name: "what is not repeated is waited for as long as what is",
    http: haproxyHttp(300_000),
    rules: { patience: 300_000, patienceOnce: 300_000 },
  },
];
test.each(cases)("$name", ({ http, rules, unfollowed = [] }) => {
  expect(tryRules(http)).toMatchObject(rules);
  expect(unfollowedByHaproxy(http)).toEqual(unfollowed);
});

test("what every route has is not said", () => {
  expect(httpOf(structuredClone(DEFAULT_HTTP))).toBeUndefined();
  expect(httpOf(haproxyHttp(1000))).toEqual(haproxyHttp(1000));
});
