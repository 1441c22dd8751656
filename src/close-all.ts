/**
 * Closes one after the other, even if one fails. When all were tried, the first fault is thrown.
 */
export async function closeAll(closers: Iterable<() => PromiseLike<unknown>>): Promise<void> {
  const faults: unknown[] = [];
  for (const close of closers) {
    try {
      await close();
    } catch (fault) {
      faults.push(fault);
    }
  }
  if (faults.length > 0) throw faults[0];
}
