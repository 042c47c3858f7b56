/** Who holds copies of our zones: gives them and tells of changes, with a word in the log and a count for each. */
import { atMostEvery } from "../dns/dns-server.ts";
import { createNotifier, type NotifyEvent } from "../dns/transfer/notify.ts";
import { notifySockets } from "../dns/transfer/notify-socket.ts";
import { createTransferService, type TransferReport, type TransferService } from "../dns/transfer/transfer-service.ts";
import type { TsigKey } from "../dns/transfer/tsig.ts";
import type { ZoneView } from "../dns/transfer/zone-view.ts";
import type { Zone } from "../model/inventory.ts";
import { formatListenAddress, type ListenAddress } from "../model/listen-address.ts";
import type { Milliseconds } from "../model/units.ts";
import type { Log } from "../observe/log.ts";
import type { Metrics } from "../observe/metrics.ts";

export interface ZoneCopiesOptions {
  /** Our DNS listeners. */
  readonly listen: readonly ListenAddress[];
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** [0, 1) */
  readonly random: () => number;
  readonly setTimer: (delay: Milliseconds, callback: () => void) => () => void;
  readonly metrics: Pick<Metrics, "transfer" | "notify">;
  readonly log: Log;
}

export interface ZoneCopies {
  readonly transfers: TransferService;
  /** Gives these views from now on, and tells whom the zones name. @param faults what stands in the way, in sentences; told when they are new */
  readonly use: (views: readonly ZoneView[], zones: readonly Zone[], keys: readonly TsigKey[], faults: readonly string[]) => void;
  readonly close: () => void;
}

/** Anybody can ask, so that refusals must not flood a log. */
const QUIET = 10_000;
/** A target that has not answered so many times, some half a minute, is told of. */
const SILENT = 5;

export function createZoneCopies({ listen, wallClock, now, random, setTimer, metrics, log }: ZoneCopiesOptions): ZoneCopies {
  const troubled = new Set<string>();
  let told: readonly string[] = [];

  const refused = atMostEvery(QUIET, now, (report: TransferReport) => log.warn(report, "a zone transfer was refused"));
  const onReport = (report: TransferReport): void => {
    const { domain, type, result } = report;
    metrics.transfer(domain, type, result);
    if (result === "sent") log.info(report, "a copy of a zone was taken");
    else if (result === "aborted" || result === "busy") log.warn(report, "a zone transfer ended before its time");
    else if (result !== "current") refused(report);
  };

  const onEvent = (event: NotifyEvent): void => {
    const { domain, target, result, tries } = event;
    metrics.notify(domain, result);
    const name = `${domain} ${formatListenAddress(target)}`;
    if (result === "acknowledged") {
      if (troubled.delete(name)) log.info(event, "NOTIFY is answered again");
    } else if ((result !== "timeout" || tries >= SILENT) && !troubled.has(name)) {
      troubled.add(name);
      const what = { refused: "refuses NOTIFY", unverified: "answers NOTIFY without a valid signature", timeout: "does not answer NOTIFY" }[
        result
      ];
      log.warn(event, `a secondary ${what}: it learns of changes by its refresh timer`);
    }
  };

  const transfers = createTransferService({ now: wallClock, onReport });
  const notifier = createNotifier({
    listen,
    openSocket: notifySockets(
      atMostEvery(QUIET, now, (error: Error) => log.warn({ err: error }, "NOTIFY could not be sent; it is repeated")),
    ),
    now: wallClock,
    random,
    setTimer,
    onEvent,
  });
  return {
    transfers,
    use(views, zones, keys, faults) {
      for (const fault of faults) if (!told.includes(fault)) log.error(`zone transfer: ${fault}`);
      told = faults;
      transfers.use(views, zones, keys);
      notifier.use(views, zones, keys);
    },
    close: notifier.close,
  };
}
