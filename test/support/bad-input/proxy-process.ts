/** The embedded proxy in a process of its own: `fork(…, [ENDPOINT_PORT])`. Says its ports, and its counts to any message. */
import { ms } from "../../../src/model/units.ts";
import { openProxyServer, type ProxyServer } from "../../../src/proxy/embedded/forward/proxy-server.ts";
import { PROXY_SETTINGS } from "../../../src/proxy/embedded/forward/settings.ts";
import { CONDUCT_LIMITS } from "../../../src/proxy/embedded/front/front-settings.ts";
import { tlsSettings } from "../http1/front-world.ts";
import { routed } from "../http1/proxy-world.ts";

const choose = routed(() => [[{ id: "one", address: "127.0.0.1", port: Number(process.argv[2]) }]]);
const ports = {
  now: () => ms(performance.now()),
  setTimer: (delay: number, callback: () => void) => {
    const timer = setTimeout(callback, delay);
    return () => clearTimeout(timer);
  },
  onError: (error: Error) => {
    throw error;
  },
};
const listen = { address: "127.0.0.1", port: 0 };
const settings = { ...PROXY_SETTINGS, maxBody: 1 << 20 };
const front = { places: { places: 1000, silent: 500 }, conduct: CONDUCT_LIMITS };
const plain = await openProxyServer(listen, choose, ports, settings, front);
const tls = await openProxyServer(listen, choose, ports, settings, { ...front, tls: tlsSettings() });

process.on("message", () => {
  const { user, system } = process.cpuUsage();
  const sum = <Key>(of: (server: ProxyServer) => ReadonlyMap<Key, number>): ReadonlyMap<Key, number> => {
    const counts = new Map(of(plain));
    for (const [key, count] of of(tls)) counts.set(key, (counts.get(key) ?? 0) + count);
    return counts;
  };
  process.send?.({
    answers: Object.fromEntries(sum(({ counters }) => counters.ownAnswers)),
    refused: Object.fromEntries(sum(({ front }) => front.refused)),
    clients: plain.connections().clients + tls.connections().clients,
    rss: process.memoryUsage.rss(),
    cpu: (user + system) / 1000,
  });
});
process.on("disconnect", () => process.exit());
process.send?.({ plain: plain.port, tls: tls.port });
