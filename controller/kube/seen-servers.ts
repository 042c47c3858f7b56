/** Where API servers were found when they were last connected to: their names may mean other addresses tomorrow. */
export interface SeenServers {
  readonly note: (address: string, port: number) => void;
  readonly list: () => readonly SeenServer[];
}

interface SeenServer {
  readonly address: string;
  readonly port: number;
}

/** The oldest are forgotten beyond it. */
const MOST = 1000;

export function createSeenServers(): SeenServers {
  const seen = new Map<string, SeenServer>();
  let all: readonly SeenServer[] = [];
  return {
    note(address, port) {
      const key = `${address} ${port}`;
      if (seen.has(key)) return;
      seen.set(key, { address, port });
      for (const oldest of seen.keys()) if (seen.size > MOST) seen.delete(oldest);
      all = [...seen.values()];
    },
    list: () => all,
  };
}
