/** Something that a worker does by itself again and again, apart from the sweep. */
export interface Repeated {
  /** Resolves when the turn under way is over. */
  last(): Promise<void>;
  stop(): void;
}

/**
 * Takes a turn at intervals, in milliseconds, one at a time, unless `isOff`. A fault ends the turn:
 * where the ledger is away the sweep says it.
 */
export function repeat(
  turn: () => Promise<void>,
  { every, isOff }: { readonly every: number; readonly isOff: () => boolean },
): Repeated {
  let taking: Promise<void> | undefined;
  const timer = setInterval(() => {
    if (isOff()) return;
    taking ??= turn()
      .catch(() => {})
      .finally(() => {
        taking = undefined;
      });
  }, every);
  return { last: async () => taking, stop: () => clearInterval(timer) };
}
