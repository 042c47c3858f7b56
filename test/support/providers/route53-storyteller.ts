/** A thread that tells stories of Route 53: they are work of the processor alone, and a machine has several. */
import { parentPort, workerData } from "node:worker_threads";
import { type StoriesToTell, tellRoute53Stories } from "./route53-stories.ts";

const { from, to, isFenced } = workerData as StoriesToTell;
parentPort?.postMessage(await tellRoute53Stories({ from, to, isFenced }));
