/** A proxy that `bench/http.ts` measures: what it needs to be installed, and how it is configured and started. */

/** The one site that all proxies serve: this host goes to this port of 127.0.0.1, every other host to nobody. */
export interface Site {
  readonly host: string;
  readonly upstreamPort: number;
}

export interface Launch {
  /** Start it in the foreground, as one process with one thread for requests. */
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Contender {
  /** As in the keys of ratios. */
  readonly name: string;
  /**
   * Whole path of its program.
   *
   * @returns undefined when it is not installed
   */
  program(): string | undefined;
  /**
   * Writes its configuration: connections kept on both sides, X-Forwarded-For added, no access log.
   *
   * @param folder of its own, there and empty
   * @param port   TCP, on 127.0.0.1
   */
  configure(site: Site, folder: string, port: number): Launch;
}

/** What the upstream answers to everything: 100 bytes, the last of which is at no other place. */
export const BODY = `${"0123456789".repeat(9)}012345678\n`;
