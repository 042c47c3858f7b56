/** The text of a shared secret, as files and Secrets hold it. */
import { SHORTEST_SECRET } from "./seal.ts";

/** White space at the ends is not part of it. @returns undefined when it is too short to be safe */
export function readSecret(text: string): string | undefined {
  const secret = text.trim();
  return secret.length < SHORTEST_SECRET ? undefined : secret;
}
