import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hex } from "../../../../test/support/hex.ts";
import { any, decode, encode } from "./codec.ts";

describe("messages of Envoy's API", () => {
  test("are written as Envoy reads them", () => {
    const bytes = encode("envoy.config.endpoint.v3.LbEndpoint", {
      healthStatus: "UNHEALTHY",
      endpoint: { address: { socketAddress: { address: "192.0.2.1", portValue: 443 } } },
    });
    expect(Uint8Array.from(bytes)).toEqual(
      hex(`
        0a 12                          # 1 endpoint
          0a 10                        #   1 address
            0a 0e                      #     1 socket_address
              12 09 3139322e302e322e31 #       2 address
              18 bb03                  #       3 port_value
        10 02                          # 2 health_status
      `),
    );
  });

  test("come back as they went", () => {
    const name = "envoy.service.discovery.v3.DiscoveryRequest";
    const text = fc.string();
    fc.assert(
      fc.property(text, fc.array(text), fc.integer({ min: 0, max: 16 }), (versionInfo, resourceNames, code) => {
        const request = { versionInfo, resourceNames, errorDetail: { code, message: versionInfo } };
        expect(decode(name, encode(name, request))).toMatchObject(request);
      }),
    );
  });

  test("fields that nobody here knows are passed over", () => {
    const bytes = new Uint8Array([...encode("envoy.config.core.v3.Node", { id: "edge-1" }), ...hex("7a 03 010203")]);
    expect(decode("envoy.config.core.v3.Node", bytes).id).toBe("edge-1");
  });

  test("whatever else arrives either decodes or throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decode("envoy.service.discovery.v3.DeltaDiscoveryRequest", bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });

  test("equal values give equal bytes, whatever the order of their members", () => {
    const url = (message: Parameters<typeof encode<"envoy.config.core.v3.Locality">>[1]) => any("envoy.config.core.v3.Locality", message);
    expect(url({ zone: "b", region: "a" })).toEqual(url({ region: "a", zone: "b" }));
    expect(url({ region: "a" }).typeUrl).toBe("type.googleapis.com/envoy.config.core.v3.Locality");
  });
});
