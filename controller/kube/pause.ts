import type { KubePorts } from "./kube-ports.ts";

/** Resolves after so many milliseconds, or at once when the signal ends it. */
export const pause = (ports: Pick<KubePorts, "setTimer">, delay: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const cancel = ports.setTimer(delay, end);
    signal.addEventListener("abort", end, { once: true });
  });
