import { closeSync, openSync } from 'node:fs';

/**
 * Resolves with the first SIGINT or SIGTERM, or when the terminal is closed. A second one ends the
 * process at once, with 130. A SIGHUP that somebody sent, as daemons take it for a reload, goes to
 * `onReload` where there is one.
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

/**
 * Whether the process has a terminal that controls it; one that was closed cannot be opened any
 * more.
 */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
