import { expect, test } from "vitest";
import type { DnsEndpointNews } from "./dnsendpoint-provider.ts";
import { toProviderNews } from "./news-in-words.ts";

const inWords = (news: DnsEndpointNews) => toProviderNews(news, "dns", 60_000);

test("what ExternalDNS reads is published, as far as can be told", () => {
  expect(inWords({ kind: "TakenUp", milliseconds: 5000 })).toEqual({ kind: "Published" });
});

test.each([
  [["a-0"], "DNSEndpoint dns/a-0 for 180 s"],
  [["a-0", "a-1"], "DNSEndpoint dns/a-0 and 1 other for 180 s"],
  [["a-0", "a-1", "a-2"], "DNSEndpoint dns/a-0 and 2 others for 180 s"],
])("objects that it does not read are named with what to look at: %j", (objects, says) => {
  const news = inWords({ kind: "NotTakenUp", objects, milliseconds: 180_400 });
  expect(news).toEqual({
    kind: "NotPublished",
    fact: `ExternalDNS has not read ${says}, so clients do not get what it says`,
    remedy: expect.stringMatching(
      /--source=crd.*dnsendpoints\/status.*If its --interval is not 60 s, write it into externalDns\.interval\.$/,
    ),
  });
});

test("names of several objects come with where to take them out", () => {
  expect(inWords({ kind: "Disputed", names: ["shop.example.org"] })).toEqual({
    kind: "Disputed",
    names: ["shop.example.org"],
    remedy: expect.stringContaining("the other DNSEndpoints of namespace dns"),
  });
});
