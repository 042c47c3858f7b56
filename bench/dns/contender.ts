/** A name server that `bench/dns.ts` measures: what it needs to be installed, and how it is configured and started. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Country } from "./steering.ts";

export interface World {
  /** Countries in the schema `country.iso_code`, `continent.code`. */
  readonly databaseFile: string;
  readonly countries: readonly Country[];
  /** TCP, open at every loopback address: what our server probes. */
  readonly probePort: number;
}

export interface Contender {
  /** As in the keys of ratios. */
  readonly name: string;
  /** False = every client gets the same answer. */
  readonly isGeo: boolean;
  /**
   * Whole path of its program.
   *
   * @returns undefined when it is not installed
   */
  program(): string | undefined;
  /**
   * Writes its configuration.
   *
   * @param folder of its own, there and empty
   * @param port   UDP, on 127.0.0.1
   * @returns the arguments that start it in the foreground, with one thread for queries
   */
  configure(world: World, folder: string, port: number): readonly string[];
  /** Asked again and again once it answers, until it is in the state that is to be measured. */
  isReady(): Promise<boolean>;
}

/** Where Debian puts servers, which is not on the PATH of users. */
const SERVER_FOLDERS = ["/usr/local/sbin", "/usr/sbin"];

/** @returns the path of a command, or undefined */
export function findProgram(command: string): string | undefined {
  return [...(process.env.PATH ?? "").split(delimiter), ...SERVER_FOLDERS]
    .map((folder) => join(folder, command))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
