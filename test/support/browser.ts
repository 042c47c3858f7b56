/** A real browser, without a way to anywhere but the origin that is tested. */
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

export const CHROMIUM = "chromium";

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: `/usr/bin/${CHROMIUM}`,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });

export interface Watched {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the page did that it should not: requests elsewhere, errors, refusals of the content security policy. */
  readonly faults: readonly string[];
}

/** @param options of the context: colour scheme, size */
export async function openPage(browser: Browser, origin: string, options: Parameters<Browser["newContext"]>[0] = {}): Promise<Watched> {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  context.on("request", (request) => {
    if (new URL(request.url()).origin !== origin) faults.push(`request to ${request.url()}`);
  });
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("console", (message) => {
    // The browser itself tells of every failed request; a server that is stopped on purpose makes some.
    if (message.type() === "error" && !/Failed to load resource|net::ERR/.test(message.text())) faults.push(`console: ${message.text()}`);
  });
  return { context, page, faults };
}
