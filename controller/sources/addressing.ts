/** Which addresses clients of a cluster's sources are given, where those of their statuses are not reachable from outside. */
import { parseAddress } from "../../src/model/address.ts";
import type { ObjectOf } from "../../src/model/manifest-object.ts";
import { unique } from "./fields.ts";

export type Addressing = ObjectOf<"MemberCluster">["spec"]["addressing"];

/**
 * @param published of one source; while there are none the source is pending, whatever the cluster's addressing
 * @returns canonical, each once
 */
export function applyAddressing(published: readonly string[], addressing: Addressing): readonly string[] {
  if (addressing === undefined || published.length === 0) return published;
  switch (addressing.type) {
    case "Static":
      return addressing.addresses ?? [];
    case "HostName":
      return addressing.hostName === undefined ? [] : [addressing.hostName];
    case "Status": {
      const translated = new Map((addressing.nat ?? []).map(({ from, to }) => [canonical(from), canonical(to)]));
      return unique(published.map((address) => translated.get(address) ?? address));
    }
  }
}

function canonical(text: string): string {
  const address = parseAddress(text);
  return "value" in address ? address.value : text;
}
