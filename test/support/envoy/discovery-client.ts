/** A client of the discovery service over gRPC, for what a real Envoy does not let a test do: reject, be late, be one of thousands. */
import { type ChannelCredentials, Client, type ClientDuplexStream, credentials } from "@grpc/grpc-js";
import { decode, encode, typeUrl } from "../../../src/proxy/envoy/api/codec.ts";
import type { DeltaDiscoveryRequest, DeltaDiscoveryResponse } from "../../../src/proxy/envoy/api/envoy-api.ts";

export const TYPE_URLS = {
  cluster: typeUrl("envoy.config.cluster.v3.Cluster"),
  loadAssignment: typeUrl("envoy.config.endpoint.v3.ClusterLoadAssignment"),
  routes: typeUrl("envoy.config.route.v3.RouteConfiguration"),
} as const;

export interface DiscoveryClient {
  send(request: DeltaDiscoveryRequest): void;
  /** Takes or rejects a response. */
  answer(response: DeltaDiscoveryResponse, error?: string): void;
  /** Those that have arrived, oldest first. */
  readonly responses: readonly DeltaDiscoveryResponse[];
  /** How the stream ended, once it has. */
  readonly ended: Promise<string>;
  close(): void;
}

const PATH = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";

/** A connection and a delta stream of its own. @param onResponse is told of each response */
export function connectDiscovery(
  port: number,
  onResponse: (response: DeltaDiscoveryResponse) => void = () => {},
  channel: ChannelCredentials = credentials.createInsecure(),
): DiscoveryClient {
  const client = new Client(`127.0.0.1:${port}`, channel, {
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_channelz": 0,
    "grpc.ssl_target_name_override": "shop.example.org",
  });
  const stream: ClientDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse> = client.makeBidiStreamRequest(
    PATH,
    (request) => Buffer.from(encode("envoy.service.discovery.v3.DeltaDiscoveryRequest", request)),
    (bytes) => decode("envoy.service.discovery.v3.DeltaDiscoveryResponse", bytes),
  );
  const responses: DeltaDiscoveryResponse[] = [];
  stream.on("data", (response: DeltaDiscoveryResponse) => {
    responses.push(response);
    onResponse(response);
  });
  const ended = new Promise<string>((resolve) => {
    stream.on("error", (error) => resolve(error.message));
    stream.on("end", () => resolve("ended"));
  });
  return {
    responses,
    ended,
    send: (request) => void stream.write(request),
    answer: ({ typeUrl: url = "", nonce = "" }, error) =>
      void stream.write({
        typeUrl: url,
        responseNonce: nonce,
        ...(error === undefined ? {} : { errorDetail: { code: 3, message: error } }),
      }),
    close() {
      stream.cancel();
      client.close();
    },
  };
}
