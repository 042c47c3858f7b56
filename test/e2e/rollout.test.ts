/** A rollout between two clusters, as an operator sees it: shares of answers, progress in the status, Events, `globalroute promote`, and the way back. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireComponent } from "../support/component.ts";
import { globalroute } from "../support/demo.ts";
import { type Controller, startController } from "./support/controller.ts";
import { eventually, throughout } from "./support/eventually.ts";
import { kubectlOk } from "./support/kubectl.ts";
import { type Member, routePath, startWorld, WEB, type World } from "./support/world.ts";

const isHere =
  requireComponent("kubernetes", "kube-apiserver") && requireComponent("kubectl", "kubectl") && requireComponent("dns-clients", "dig");
const PAUSE_MS = 6000;
const QUERIES = 400;
const run = promisify(execFile);

interface Rollout {
  readonly name: string;
  readonly phase: string;
  readonly step: number;
  readonly reason?: string;
}

describe.skipIf(!isHere)("a rollout", () => {
  let world: World;
  let controller: Controller;
  let blue: Member;
  let green: Member;

  beforeAll(async () => {
    world = await startWorld();
    [blue, green] = [world.member("eu-west"), world.member("us-east")];
    controller = await startController(world.hub, { hubUrl: world.hubProxy.url });
    await createRoute("other", []); // so that one route is not all there is
  });
  afterAll(async () => {
    await controller?.stop();
    await world?.stop();
  });

  const stepTo = (backend: string, weight: number, then: object) => ({ name: `${backend}-${weight}`, backend, weight, ...then });
  const createRoute = (name: string, steps: readonly object[]) =>
    world.hub.api.create(`/apis/globalroute.dev/v1alpha1/namespaces/${WEB}/globalroutes`, {
      apiVersion: "globalroute.dev/v1alpha1",
      kind: "GlobalRoute",
      metadata: { name },
      spec: {
        hosts: [`${name}.example.org`],
        routing: { order: "Weighted" },
        failover: { failback: { after: "1s" } },
        backends: [
          { name: "blue", cluster: blue.name, addresses: [blue.site.address], weight: 90 },
          { name: "green", cluster: green.name, addresses: [green.site.address], weight: 0 },
        ],
        ...(steps.length === 0 ? {} : { rollout: { steps } }),
      },
    });

  /** Part of the answers that name the green site. */
  async function share(name: string): Promise<number> {
    const queries = Array.from({ length: QUERIES }, () => [`${name}.example.org`, "A"]).flat();
    const { stdout } = await run("dig", ["@127.0.0.1", "-p", String(controller.dnsPort), "+short", "+tries=1", ...queries]);
    const answers = stdout.trim().split("\n");
    expect(answers.length).toBe(QUERIES);
    return answers.filter((answer) => answer === green.site.address).length / QUERIES;
  }
  const rolloutOf = async (name: string): Promise<Rollout | undefined> => {
    const { status } = await world.hub.api.get(routePath(name));
    return typeof status === "object" && status !== null && "rollout" in status ? (status.rollout as Rollout) : undefined;
  };
  const comesTo = (name: string, step: string, phase: string): Promise<Rollout> =>
    eventually(
      `${name} to come to ${step}, ${phase}`,
      async () => {
        const rollout = await rolloutOf(name);
        return rollout?.name === step && rollout.phase === phase ? rollout : undefined;
      },
      { within: 30_000, detail: () => controller.log().slice(-4000) },
    );
  const shareBecomes = (name: string, least: number, most: number): Promise<number> => {
    let seen = Number.NaN;
    return eventually(
      `the green share of ${name} to be ${least} to ${most}`,
      async () => {
        seen = await share(name);
        return seen >= least && seen <= most ? [seen] : undefined;
      },
      { detail: () => `it was ${seen}` },
    ).then(([found]) => found ?? Number.NaN);
  };
  const events = (name: string): Promise<string> =>
    kubectlOk(world.hub, ["get", "events", "-n", WEB, "--field-selector", `involvedObject.name=${name}`]);
  const promote = (...args: readonly string[]) => globalroute("promote", ...args, "--kubeconfig", world.hub.kubeconfig);

  test("a canary gets a tenth, and the next step comes after its pause", async () => {
    const steps = [
      stepTo("green", 10, { pause: `${PAUSE_MS / 1000}s` }),
      stepTo("green", 90, { approval: true }),
      stepTo("blue", 0, { pause: "1s" }),
    ];
    await createRoute("shop", steps);
    const began = performance.now();
    await comesTo("shop", "green-10", "Progressing");
    await shareBecomes("shop", 0.03, 0.2);
    await comesTo("shop", "green-90", "AwaitingApproval");
    expect(performance.now() - began).toBeGreaterThan(PAUSE_MS);
    await shareBecomes("shop", 0.4, 0.6);
  });

  test("a step with approval waits for globalroute promote, and the last one completes", async () => {
    await throughout(3000, async () => expect(await rolloutOf("shop")).toMatchObject({ name: "green-90", phase: "AwaitingApproval" }));
    const { code, stdout, stderr } = await promote(`${WEB}/shop`, "--reason", "looks good");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("step green-90");
    await comesTo("shop", "blue-0", "Completed");
    await shareBecomes("shop", 1, 1);
    const told = await eventually("the Events", async () => {
      const text = await events("shop");
      return text.includes("RolloutCompleted") ? text : undefined;
    });
    expect(told).toMatch(/Normal\s+RolloutStarted/);
    expect(told).toContain("RolloutStep");
    expect((await promote(`${WEB}/shop`)).code).toBe(1); // there is nothing left to promote
  });

  test("when the new backend fails, the weights from before hold again, also when it is back", async () => {
    await createRoute("app", [stepTo("green", 90, { approval: true }), stepTo("blue", 0, { approval: true })]);
    await comesTo("app", "green-90", "AwaitingApproval");
    await shareBecomes("app", 0.4, 0.6);
    await green.site.kill();
    const { reason } = await comesTo("app", "green-90", "Aborted");
    expect(reason).toContain("green");
    await shareBecomes("app", 0, 0);
    await eventually("the Event", async () => /Warning\s+RolloutAborted/.test(await events("app")));
    await green.site.revive();
    await eventually("green to be healthy", async () =>
      (await kubectlOk(world.hub, ["get", "globalroute", "app", "-n", WEB])).includes("2/2"),
    );
    await throughout(2000, async () => expect(await share("app")).toBe(0));
  });

  test("globalroute promote begins it anew, and --abort ends it", async () => {
    expect((await promote(`${WEB}/app`)).code).toBe(0);
    await comesTo("app", "green-90", "AwaitingApproval");
    await shareBecomes("app", 0.4, 0.6);
    expect((await promote(`${WEB}/app`, "--abort", "--reason", "errors on the canary")).code).toBe(0);
    const { reason } = await comesTo("app", "green-90", "Aborted");
    expect(reason).toContain("errors on the canary");
    await shareBecomes("app", 0, 0);
  });
});
