/** DNS and HTTP side by side: the nearest cluster is killed while a client asks both; one moves in seconds, the other at the next request. */
import { request } from "node:http"; // fetch lets nobody set Host
import { afterAll, beforeAll, expect, test } from "vitest";
import { watchAnswers } from "../../support/answer-watch.ts";
import { type Demo, startDemo } from "../../support/demo.ts";
import { GERMANY } from "../../support/failover.ts";

let demo: Demo;
beforeAll(async () => {
  demo = await startDemo();
});
afterAll(() => demo?.stop());

/** Who answers a German client of the shop by HTTP. @returns the first word of the body, or the status where it is no answer */
function ask(method = "GET"): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { host: "shop.demo.example", "x-forwarded-for": "91.64.0.1" };
    const sent = request(demo.proxy, { method, headers }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      response.on("end", () => resolve(response.statusCode === 200 ? (body.split(" ")[0] ?? "") : String(response.statusCode)));
    });
    sent.on("error", reject).end();
  });
}

test("both begin with the nearest; after its death HTTP fails not once, and DNS follows", async () => {
  const dns = await watchAnswers(demo.dnsPort, "shop.demo.example", GERMANY.subnet, 50);
  try {
    expect(await ask()).toBe("eu-west");
    await dns.until(({ addresses }) => addresses[0] === GERMANY.from, 5000);
    process.kill(demo.pids.get("eu-west")!, "SIGKILL");
    const killed = performance.now();
    const answers: string[] = [];
    let httpMoved: number | undefined;
    const moved = dns.until(({ asked, addresses }) => asked > killed && addresses[0] !== GERMANY.from, 10_000);
    let isOver = false;
    void moved.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      const answer = await ask(answers.length % 5 === 4 ? "POST" : "GET");
      if (answer === "us-east") httpMoved ??= performance.now() - killed;
      answers.push(answer);
    }
    const dnsMoved = (await moved).asked - killed;
    console.log(`HTTP ${httpMoved?.toFixed(0)} ms, DNS ${dnsMoved.toFixed(0)} ms after the kill; ${answers.length} requests meanwhile`);
    expect(answers.filter((answer) => answer !== "us-east" && answer !== "eu-west")).toEqual([]);
    expect(httpMoved).toBeLessThan(dnsMoved);
  } finally {
    dns.close();
  }
});
