import { closeSync, openSync } from 'node:fs';

/**
 * Resolves at the first SIGINT or SIGTERM, or when the terminal is closed. A second signal ends the
 * process at once, with 130. A SIGHUP that somebody sent is taken as a request to reload, as is
 * usual for daemons, and calls `onReload` if given.
 */
export function interrupted({ onReload }: { readonly onReload?: () => void } = {}): Promise<NodeJS.Signals> {
  const hadTerminal = hasTerminal();
  return new Promise((resolve) => {
    let already = false;
    const stop = (signal: NodeJS.Signals) => {
      if (already) process.exit(130);
      already = true;
      resolve(signal);
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    process.on('SIGHUP', (signal) => {
      const closed = hadTerminal && !hasTerminal();
      if (onReload && !closed) onReload();
      else stop(signal);
    });
  });
}

/** Whether the process has a controlling terminal. One that was closed cannot be opened again. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
