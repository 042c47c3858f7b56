import { describe, expect, test } from "vitest";
import { parseWrk } from "./wrk.ts";

const report = ({
  duration = "3.00s",
  extra = "",
  p50 = "814.00us",
  p99 = "1.80ms",
} = {}): string => `Running 3s test @ http://127.0.0.1:80/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.25ms  236.00us   6.25ms   91.35%
    Req/Sec    50.52k     2.44k   52.81k    76.67%
  Latency Distribution
     50%    ${p50}
     75%    1.37ms
     90%    1.46ms
     99%    ${p99}
  150794 requests in ${duration}, 32.36MB read
${extra}Requests/sec:  50235.31
Transfer/sec:     10.78MB
`;

describe("what wrk prints", () => {
  const cases = [
    { name: "all went well", text: report(), result: { seconds: 3, requests: 150_794, failed: 0, p50: 814, p99: 1800 } },
    {
      name: "minutes and seconds, behind which it leaves room",
      text: report({ duration: "1.50m", p99: "1.02s " }),
      result: { seconds: 90, p99: 1_020_000 },
    },
    {
      name: "connections that failed, and other statuses, are added up",
      text: report({ extra: "  Socket errors: connect 1, read 20, write 300, timeout 4000\n  Non-2xx or 3xx responses: 50000\n" }),
      result: { requests: 150_794, failed: 54_321 },
    },
  ] as const;
  test.each(cases)("$name", ({ text, result }) => expect(parseWrk(text)).toMatchObject(result));

  test("a run that came to nothing is told with what wrk said", () => {
    expect(() => parseWrk("unable to connect to 127.0.0.1:80 Connection refused\n")).toThrow(/Connection refused/);
  });
});
