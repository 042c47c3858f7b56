import { describeKubeContract } from "./contract-suite.ts";
import { startFakeApiServer } from "./fake-api-server.ts";

describeKubeContract("the fake", async () => {
  const server = await startFakeApiServer();
  return { url: server.url, token: server.adminToken, compact: async () => server.compact(), close: server.close };
});
