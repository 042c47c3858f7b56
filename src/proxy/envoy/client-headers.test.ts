import fc from "fast-check";
import { expect, test } from "vitest";
import { formatNetwork, maskNetwork } from "../../model/ip.ts";
import { decode, encode } from "./api/codec.ts";
import { clientFilters } from "./client-headers.ts";
import { encodeTags } from "./tag-networks.ts";

test("what clients sent as our headers is replaced before anything else looks at a request", () => {
  const [first, ...others] = clientFilters([]);
  expect(others).toEqual([]);
  const { mutations } = decode("envoy.extensions.filters.http.header_mutation.v3.HeaderMutation", first!.typedConfig!.value!);
  expect(mutations?.requestMutations).toMatchObject([
    { remove: "x-envoy-ip-tags" },
    { append: { header: { key: "x-globalroute-subnet" }, appendAction: "OVERWRITE_IF_EXISTS_OR_ADD" } },
  ]);
});

test("each class is a tag of its networks", () => {
  const [, tags] = clientFilters([
    { name: "00a1", networks: ["192.0.2.0/24", "2001:db8::/32"], client: {} },
    { name: "00b2", networks: ["0.0.0.0/1"], client: {} },
  ]);
  expect(decode("envoy.extensions.filters.http.ip_tagging.v3.IPTagging", tags!.typedConfig!.value!)).toEqual({
    ipTags: [
      {
        ipTagName: "00a1",
        ipList: [
          { addressPrefix: "192.0.2.0", prefixLen: { value: 24 } },
          { addressPrefix: "2001:db8::", prefixLen: { value: 32 } },
        ],
      },
      { ipTagName: "00b2", ipList: [{ addressPrefix: "0.0.0.0", prefixLen: { value: 1 } }] },
    ],
  });
});

test("networks by the thousand are written as protobufjs would", () => {
  const network = fc
    .tuple(fc.constantFrom(4, 16), fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat({ max: 128 }))
    .map(([length, bytes, bits]) =>
      formatNetwork(maskNetwork({ family: length === 4 ? 4 : 6, bytes: bytes.subarray(0, length) }, Math.min(bits, 8 * length))),
    );
  fc.assert(
    fc.property(fc.array(fc.array(network, { maxLength: 20 })), (lists) => {
      const classes = lists.map((networks, i) => ({ name: `class-${i}`, networks, client: {} }));
      const ipTags = classes.map(({ name, networks }) => ({
        ipTagName: name,
        ipList: networks.map((text) => ({ addressPrefix: text.split("/")[0]!, prefixLen: { value: Number(text.split("/")[1]) } })),
      }));
      const type = "envoy.extensions.filters.http.ip_tagging.v3.IPTagging";
      expect(decode(type, encodeTags(classes))).toEqual(decode(type, encode(type, { ipTags })));
    }),
  );
});
