/** A provider that is opened when it is needed first: what it takes may not be there yet, and may change. */
import { type Provider, ProviderError } from "../../dns-providers/provider.ts";

/** Opens the provider when it is needed, and again when its credentials are not good: there may be others by now. @param name until it is open */
export function openLater(open: () => Provider, name: string): Provider {
  let opened: Provider | undefined;
  const provider = (): Provider => {
    opened ??= open();
    return opened;
  };
  async function withProvider<T>(call: (one: Provider) => Promise<T>): Promise<T> {
    try {
      return await call(provider());
    } catch (error) {
      if (error instanceof ProviderError && error.code === "unauthorized") {
        opened?.close?.();
        opened = undefined;
      }
      throw error;
    }
  }
  return {
    get name() {
      return opened?.name ?? name;
    },
    get capabilities() {
      return provider().capabilities;
    },
    list: (signal) => withProvider((one) => one.list(signal)),
    apply: (batch, signal) => withProvider((one) => one.apply(batch, signal)),
    prepare: (...request) => withProvider(async (one) => one.prepare?.(...request)),
    tidy: (...request) => withProvider(async (one) => one.tidy?.(...request)),
    get authority() {
      if (provider().authority === undefined) return undefined;
      return (signal: AbortSignal) => withProvider(async (one) => one.authority!(signal));
    },
    close: () => opened?.close?.(),
  };
}
