/** Our DNS server on a free loopback port with a zone that others may copy, its views made and told of as in a real process. Real clock, real sockets. */
import { createDnsServer } from "../../src/dns/dns-server.ts";
import type { SigningKey } from "../../src/dns/dnssec/zone-key.ts";
import { createNotifier, type NotifyEvent } from "../../src/dns/transfer/notify.ts";
import { notifySockets } from "../../src/dns/transfer/notify-socket.ts";
import { createTransferService, type TransferLimits, type TransferReport } from "../../src/dns/transfer/transfer-service.ts";
import type { TsigKey } from "../../src/dns/transfer/tsig.ts";
import { buildZoneTable } from "../../src/dns/zone-table.ts";
import type { ZoneTransfer } from "../../src/model/inventory.ts";
import { type CopiedZone, copiedZone } from "./copied-zone.ts";
import type { ROUTES } from "./dns-world.ts";

export interface TransferProcess {
  readonly port: number;
  readonly world: CopiedZone;
  readonly reports: readonly TransferReport[];
  readonly notified: readonly NotifyEvent[];
  /** Makes the views of now and tells everybody. A change within five seconds of the last one waits, as in life. */
  refresh(): void;
  stop(): Promise<void>;
}

export interface TransferProcessOptions {
  readonly keys?: readonly TsigKey[];
  readonly signing?: SigningKey;
  readonly routes?: typeof ROUTES;
  readonly limits?: Partial<TransferLimits>;
}

const setTimer = (delay: number, callback: () => void): (() => void) => {
  const timer = setTimeout(callback, delay);
  return () => clearTimeout(timer);
};

export async function startTransferProcess(transfer: ZoneTransfer, options: TransferProcessOptions = {}): Promise<TransferProcess> {
  const reports: TransferReport[] = [];
  const notified: NotifyEvent[] = [];
  const transfers = createTransferService({
    now: Date.now,
    onReport: (report) => reports.push(report),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  const server = createDnsServer({
    listen: [{ address: "127.0.0.1", port: 0 }],
    ports: { wallClock: Date.now, now: () => performance.now(), random: Math.random, setTimer },
    transfers,
  });
  const [bound] = await server.start();
  const notifier = createNotifier({
    listen: [bound!],
    openSocket: notifySockets((error) => {
      throw error;
    }),
    now: Date.now,
    random: Math.random,
    setTimer,
    onEvent: (event) => notified.push(event),
  });
  const world = copiedZone(transfer, options.signing, undefined, options.routes, Date.now());
  const tell = (): void => {
    const { routing } = world.tables;
    const zones = world.zones.map(({ dnssec: _, ...zone }) => zone); // tests here ask the copies for signatures, not us
    const tables = { routing, zones: buildZoneTable(zones, routing, (domain) => world.views.serials.get(domain) ?? 0).zones };
    server.swap(tables, { zoneKeys: [], tsigKeys: options.keys ?? [] });
    const views = [...world.views.byDomain.values()];
    transfers.use(views, world.zones, options.keys ?? []);
    notifier.use(views, world.zones, options.keys ?? []);
  };
  tell();
  return {
    port: bound!.port,
    world,
    reports,
    notified,
    refresh() {
      world.advance(Date.now() - world.now);
      tell();
    },
    async stop() {
      notifier.close();
      await server.stop();
    },
  };
}
