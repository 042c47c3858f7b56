/**
 * The dashboard in a real browser, over the real demo: what it shows follows what is decided, it can be asked, drained by, gone back in and
 * used by keyboard, and it asks nothing of anybody else. GLOBALROUTE_SCREENSHOTS names a folder that keeps what was seen.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { CHROMIUM, openBrowser, openPage } from "../../support/browser.ts";
import { requireComponent } from "../../support/component.ts";
import { type Demo, startDemo } from "../../support/demo.ts";
import { createLargeWorld } from "../../support/large-world.ts";
import { createObjectsFolder } from "../../support/objects-folder.ts";
import { startServer } from "../../support/serve.ts";

const temporary = mkdtempSync(join(tmpdir(), "globalroute-test-"));
const screenshots = process.env.GLOBALROUTE_SCREENSHOTS ?? join(temporary, "screenshots");
mkdirSync(screenshots, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const VIEWS = ["map", "routes", "routes/default/shop", "clusters", "timeline"];
const GERMANY = "91.64.0.1";

const shoot = (page: Page, name: string): Promise<unknown> => page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });

const axeResult = z.array(
  z.object({ id: z.string(), nodes: z.array(z.object({ target: z.unknown(), failureSummary: z.string().optional() })) }),
);

/** @returns what axe-core finds wrong, a line each */
async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe); // by the debugger, so that the content security policy stays as it is
  const found: unknown = await page.evaluate("axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)");
  return axeResult
    .parse(found)
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${JSON.stringify(node.target)} ${node.failureSummary}`));
}

/** What shows that eu-west is down, as conditions in the page; `country` is how Ireland was drawn before. */
const SEEN = {
  mark: `document.querySelector("g.cluster[aria-label^='eu-west'][aria-label*='Unhealthy']")`,
  country: `ireland.getAttribute("style") !== before`,
  story: `[...document.querySelectorAll(".stories li")].some(({ textContent }) => /eu-west →.*refused/.test(textContent))`,
  explanation: `document.querySelector(".verdict")?.textContent.includes("us-east")`,
  announcement: `document.querySelector("[aria-live=polite]")?.textContent.includes("eu-west")`,
};
/** Writes down when each of them was first true. */
const WATCH = `
  window.seen = {};
  const ireland = document.querySelector("path[data-code=IE]");
  const before = ireland.getAttribute("style");
  const note = (what, is) => { if (is) window.seen[what] ??= Date.now(); };
  new MutationObserver(() => {
    ${Object.entries(SEEN)
      .map(([what, is]) => `note(${JSON.stringify(what)}, ${is});`)
      .join("\n    ")}
  }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
`;

/** What an answer takes. */
async function timed(url: string): Promise<string> {
  const started = performance.now();
  const { length } = await (await fetch(url)).text();
  return `${Math.round(performance.now() - started)} ms, ${Math.round(length / 1024)} KiB`;
}

async function see(page: Page, demo: Pick<Demo, "admin">, view: string): Promise<void> {
  await page.goto(`${demo.admin}/#/${view}`);
  await page.waitForSelector("main h1, main .empty");
}

/** A fleet that nobody serves here, and a HAProxy that nobody has started. */
const FLEETS = `apiVersion: globalroute.dev/v1alpha1
kind: ProxyFleet
metadata: {name: edges}
spec: {type: Envoy, places: [{name: paris, location: {cloud: aws, region: eu-west-3}}], envoy: {}}
---
apiVersion: globalroute.dev/v1alpha1
kind: ProxyFleet
metadata: {name: balancers}
spec:
  type: HAProxy
  places: [{name: paris, location: {cloud: aws, region: eu-west-3}}]
  haproxy: {members: [{name: one, place: paris, listen: [{address: 127.0.0.1, port: 8080}]}]}
`;

const timelineAnswer = z.object({ events: z.array(z.object({ at: z.number(), kind: z.string() })) });

describe.skipIf(!requireComponent("chromium", CHROMIUM))("the dashboard", () => {
  let browser: Browser;
  let demo: Demo;
  beforeAll(async () => {
    [browser, demo] = await Promise.all([openBrowser(), startDemo()]);
  });
  afterAll(async () => {
    await browser?.close();
    await demo?.stop();
    rmSync(temporary, { recursive: true });
  });

  test.each(["light", "dark"] as const)("axe-core finds nothing wrong with any view, %s", async (colorScheme) => {
    const { context, page, faults } = await openPage(browser, demo.admin, { colorScheme, viewport: { width: 1440, height: 950 } });
    for (const view of VIEWS) {
      await see(page, demo, view);
      if (view === "map") {
        await page.waitForSelector("g.cluster >> nth=4", { state: "attached" });
        await page.fill("input[name=client]", GERMANY);
        await page.click("text=Explain");
        await page.waitForSelector(".verdict");
        await page.click("text=The map as a table");
      }
      if (view === "routes/default/shop") await page.waitForSelector("text=Addresses");
      expect(await violations(page), view).toEqual([]);
      await shoot(page, `${view.replaceAll("/", "-")}-${colorScheme}`);
    }
    await see(page, demo, "clusters");
    await page.getByRole("button", { name: "Drain us-east" }).click();
    await page.waitForSelector(".preview");
    expect(await violations(page), "the dialog").toEqual([]);
    await shoot(page, `drain-${colorScheme}`);
    expect(faults).toEqual([]);
    await context.close();
  });

  test("from 360 pixels on nothing has to be scrolled sideways", async () => {
    const { context, page, faults } = await openPage(browser, demo.admin, { viewport: { width: 360, height: 740 } });
    for (const view of VIEWS) {
      await see(page, demo, view);
      const tooWide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
      expect(tooWide, view).toBeLessThanOrEqual(0);
      await shoot(page, `${view.replaceAll("/", "-")}-narrow`);
    }
    expect(await violations(page)).toEqual([]);
    expect(faults).toEqual([]);
    await context.close();
  });

  test("a cluster is chosen, a country asked about and the theme changed by keyboard alone", async () => {
    const { context, page } = await openPage(browser, demo.admin);
    await see(page, demo, "map");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
    await page.getByLabel("Country").focus();
    await page.keyboard.type("Japan");
    await page.waitForSelector(".verdict");
    expect(await page.textContent(".client-panel h2")).toBe("Japan");
    expect(await page.textContent(".verdict")).toContain("gets");
    await page.locator("g.cluster").first().focus();
    await page.keyboard.press("Enter");
    await page.waitForSelector("g.cluster[aria-pressed=true]", { state: "attached" });
    await page.getByRole("button", { name: "Colours: as the system" }).focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.evaluate("document.documentElement.dataset.theme")).toBe("dark");
    await context.close();
  });

  test("it is light or dark as the system is, unless the reader chose", async () => {
    const [light, dark] = ["rgb(244, 246, 248)", "rgb(14, 20, 26)"];
    const { context, page } = await openPage(browser, demo.admin, { colorScheme: "dark" });
    await see(page, demo, "clusters");
    const ground = () => page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
    const button = page.getByRole("button", { name: "Colours:" });
    expect(await ground()).toBe(dark);
    await button.click();
    await expect.poll(ground).toBe(light);
    await button.click();
    await expect.poll(ground).toBe(dark);
    await page.emulateMedia({ colorScheme: "light" });
    expect(await ground()).toBe(dark);
    await button.click();
    await expect.poll(ground).toBe(light);
    await context.close();
  });

  test("a drain needs the right token, says what will move, moves it, and is undone", async () => {
    const { context, page, faults } = await openPage(browser, demo.admin);
    const token = readFileSync(join(demo.stateDir, "demo", "admin.token"), "utf8").trim();
    await see(page, demo, "clusters");
    await page.getByRole("button", { name: "Drain sa-east" }).click();
    await page.waitForSelector(".preview .moves li");
    expect(await page.textContent(".preview")).toMatch(/3 routes have a backend in sa-east\. .+ of the world's population/);
    await page.getByLabel("Reason").fill("a test");
    await page.getByLabel("Token").fill("not-the-token-at-all");
    await page.locator("dialog button.danger").click();
    await page.waitForSelector("dialog .notice.error");
    expect(await page.textContent("dialog .notice.error")).toContain("The token is not the server's.");
    await page.getByLabel("Token").fill(token);
    await page.locator("dialog button.danger").click();
    await page.waitForSelector("dialog", { state: "detached" });
    await page.waitForSelector("li:has-text('sa-east') .state-mark:has-text('Draining')");
    const drained = await (await fetch(`${demo.admin}/v1/map?route=default/shop`)).text();
    expect(JSON.parse(drained)).toMatchObject({
      clusters: expect.arrayContaining([expect.objectContaining({ name: "sa-east", state: "Draining" })]),
    });
    expect(page.url()).not.toContain(token);
    await page.getByRole("button", { name: "Undrain sa-east" }).click();
    await page.locator("dialog button.primary").click(); // the token is remembered
    await page.waitForSelector("dialog", { state: "detached" });
    await page.waitForSelector("li:has-text('sa-east') .state-mark:has-text('Healthy')");
    expect(await page.evaluate("localStorage.getItem('globalroute.token')")).toBeNull();
    expect(faults).toEqual([]);
    await context.close();
  });

  test("when a cluster dies, map, timeline and explanation follow within two seconds of the decision; the past stays", async () => {
    const { context, page, faults } = await openPage(browser, demo.admin, { viewport: { width: 1440, height: 950 } });
    await see(page, demo, "map");
    await page.waitForSelector("g.cluster[aria-label*='Healthy'] >> nth=4", { state: "attached" });
    expect(await page.locator("g.cluster").count()).toBe(5);
    await page.fill("input[name=client]", GERMANY);
    await page.fill("input[name=host]", "shop.demo.example");
    await page.click("text=Explain");
    await page.waitForSelector(".verdict:has-text('eu-west')");
    const newest = timelineAnswer.parse(await (await fetch(`${demo.admin}/v1/timeline`)).json()).events.length;
    await page.evaluate(WATCH);
    process.kill(demo.pids.get("eu-west") ?? 0, "SIGKILL");
    const read = async () => z.record(z.string(), z.number()).parse(await page.evaluate("window.seen"));
    await expect.poll(async () => Object.keys(await read()).sort(), { timeout: 30_000 }).toEqual(Object.keys(SEEN).sort());
    const seen = await read();
    const { events } = timelineAnswer.parse(await (await fetch(`${demo.admin}/v1/timeline`)).json());
    const decided = events.slice(newest).find(({ kind }) => kind === "Failover")?.at ?? 0;
    const after = Object.fromEntries(Object.entries(seen).map(([what, at]) => [what, at - decided]));
    console.log(`milliseconds after the decision: ${JSON.stringify(after)}`);
    for (const [what, milliseconds] of Object.entries(after)) expect(milliseconds, what).toBeLessThan(2000);
    await shoot(page, "failed-over");

    // Back to before it, and to now.
    await page.getByRole("slider").focus();
    const isHealthyThen = async () => {
      await page.keyboard.press("ArrowLeft");
      return page.locator("g.cluster[aria-label^='eu-west'][aria-label*=': Healthy']").count();
    };
    await expect.poll(isHealthyThen).toBe(1);
    expect(await page.textContent(".past")).toContain("Showing");
    await shoot(page, "scrubbed-back");
    await page.click("text=Back to now");
    await page.waitForSelector("g.cluster[aria-label^='eu-west'][aria-label*='Unhealthy']", { state: "attached" });
    expect(faults).toEqual([]);
    await context.close();
  });

  test("when the server goes, what it said last stays with its time, and when it is back so is the page", async () => {
    const folder = createObjectsFolder();
    const state = join(temporary, "state");
    const options = ["--config", folder.path, "--state", state];
    const server = await startServer(...options);
    const { context, page } = await openPage(browser, server.admin);
    await see(page, server, "clusters");
    await page.waitForSelector(".cluster-cards li >> nth=1");
    await server.stop();
    await page.waitForSelector(".notice.error:has-text('not reachable')");
    expect(await page.textContent(".notice.error")).toMatch(/This is what it said at \d\d:\d\d:\d\d/);
    expect(await page.locator(".cluster-cards li").count()).toBe(2);
    expect(await violations(page)).toEqual([]);
    await shoot(page, "server-gone");
    await context.close();
    folder.remove();
  });

  test("a world without objects, and one with errors, say what to do", async () => {
    const folder = createObjectsFolder();
    const server = await startServer("--config", folder.path, "--state", join(temporary, "state-2"));
    const { context, page, faults } = await openPage(browser, server.admin);
    await see(page, server, "map");
    folder.write(
      "shop.yaml",
      "apiVersion: globalroute.dev/v1alpha1\nkind: GlobalRoute\nmetadata: {name: shop}\nspec: {hosts: [NOT A HOST]}\n",
    );
    await page.waitForSelector(".notice.warning:has-text('config-rejected')");
    expect(await page.textContent(".notice.warning")).toMatch(/shop\.yaml:4/);
    expect(await violations(page)).toEqual([]);
    await shoot(page, "degraded");
    await server.stop();
    for (const name of ["shop.yaml", "eu-west.yaml", "us-east.yaml"]) folder.write(name, "");
    const empty = await startServer("--config", folder.path, "--state", join(temporary, "state-3"));
    const second = await openPage(browser, empty.admin);
    await second.page.goto(`${empty.admin}/`);
    await second.page.waitForSelector("text=There is no cluster yet");
    expect(await violations(second.page)).toEqual([]);
    await shoot(second.page, "empty");
    expect([...faults, ...second.faults]).toEqual([]);
    await context.close();
    await second.context.close();
    await empty.stop();
    folder.remove();
  });

  test("proxies of fleets: who follows, and what to do about those that do not", async () => {
    const folder = createObjectsFolder();
    folder.write("fleets.yaml", FLEETS);
    const state = join(temporary, "state-5");
    const server = await startServer("--config", folder.path, "--state", state, "--haproxy-dir", mkdtempSync(join(temporary, "haproxy-")));
    const { context, page, faults } = await openPage(browser, server.admin, { viewport: { width: 1440, height: 950 } });
    await see(page, server, "map");
    await page.getByRole("link", { name: "Proxies" }).click();
    await page.waitForSelector("section[aria-label='Fleet balancers'] .state-mark:has-text('Unreachable')");
    expect(await page.textContent("section[aria-label='Fleet edges']")).toContain("Start it with --xds ADDR:PORT.");
    expect(await violations(page)).toEqual([]);
    await shoot(page, "proxies");
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")).toBeLessThanOrEqual(0);
    await shoot(page, "proxies-narrow");
    folder.write("fleets.yaml", "");
    await page.waitForSelector("text=There is no ProxyFleet");
    expect(faults).toEqual([]);
    await context.close();
    await server.stop();
    folder.remove();
  });

  test("five hundred routes over thirty clusters are drawn as far as they are seen, and follow a failure", async () => {
    const world = await createLargeWorld(500, 30);
    const server = await startServer("--config", world.path, "--state", join(temporary, "state-4"), "--probe-allow", world.network);
    const { context, page, faults } = await openPage(browser, server.admin, { viewport: { width: 1440, height: 950 } });
    await see(page, server, "routes");
    await page.waitForSelector("text=500 routes");
    expect(await page.locator(".route-table tbody tr:not(.spacer)").count()).toBeLessThan(60);
    await page.locator(".rows").focus();
    await page.keyboard.press("End");
    await page.waitForSelector("text=default/service-500");
    await page.getByLabel("Search").fill("service-77.");
    await page.waitForSelector("text=1 of 500 routes");
    expect(await violations(page)).toEqual([]);
    await page.getByLabel("Search").fill("");
    await shoot(page, "large-routes");
    await see(page, server, "map");
    await page.waitForSelector("g.cluster[aria-label*=': Healthy'] >> nth=29", { state: "attached", timeout: 60_000 });
    expect(await violations(page)).toEqual([]);
    await shoot(page, "large-map");
    const overview = await timed(`${server.admin}/v1/overview`);
    const map = await timed(`${server.admin}/v1/map`);
    await world.down("aws-eu-central-1");
    await page.waitForSelector("g.cluster[aria-label^='aws-eu-central-1,'][aria-label*='Unhealthy']", {
      state: "attached",
      timeout: 60_000,
    });
    await page.waitForSelector(".stories li:has-text('aws-eu-central-1 →')");
    console.log(`overview ${overview}, map ${map}; after the failure: ${await page.textContent(".stories li")}`);
    await shoot(page, "large-failed-over");
    expect(faults).toEqual([]);
    await context.close();
    await server.stop();
    await world.remove();
  });
});
