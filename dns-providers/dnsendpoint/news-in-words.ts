/** What becomes of DNSEndpoints, as whoever keeps the zone is told it. Pure. */
import { count } from "../../src/model/count.ts";
import type { ProviderNews } from "../provider.ts";
import type { DnsEndpointNews } from "./dnsendpoint-provider.ts";

/** @param interval at which ExternalDNS is said to look, ms */
export function toProviderNews(news: DnsEndpointNews, namespace: string, interval: number): ProviderNews {
  switch (news.kind) {
    case "TakenUp":
      return { kind: "Published" };
    case "Disputed":
      return {
        ...news,
        remedy: `ExternalDNS publishes one of the two, or both mixed: take them out of the other DNSEndpoints of namespace ${namespace}.`,
      };
    case "NotTakenUp": {
      const [first = "", ...more] = news.objects;
      const objects = `${namespace}/${first}${more.length === 0 ? "" : ` and ${count(more.length, "other")}`}`;
      return {
        kind: "NotPublished",
        fact: `ExternalDNS has not read DNSEndpoint ${objects} for ${seconds(news.milliseconds)}, so clients do not get what it says`,
        remedy:
          `Look whether ExternalDNS runs with --source=crd, reads this namespace and objects with these labels, and may update dnsendpoints/status; its log tells more. ` +
          `If its --interval is not ${seconds(interval)}, write it into externalDns.interval.`,
      };
    }
  }
}

const seconds = (milliseconds: number): string => `${Math.round(milliseconds / 1000)} s`;
