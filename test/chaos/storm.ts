import { setTimeout as sleep } from 'node:timers/promises';
import { FAULTS, type Victims } from './faults.ts';
import { randomFrom } from './random.ts';

/** Makes one fault after the other until the time is over, and waits for the end of those that take longer. */
export async function storm({
  victims,
  kinds,
  duration,
  seed,
  calm,
}: {
  readonly victims: Victims;
  readonly kinds: readonly string[];
  /** Milliseconds. */
  readonly duration: number;
  readonly seed: number;
  /** Fired when the time is over. */
  readonly calm: AbortController;
}): Promise<void> {
  const { tally } = victims;
  const random = randomFrom(seed);
  const bag = kinds.flatMap((kind) => Array.from({ length: FAULTS[kind]?.weight ?? 0 }, () => kind));
  const under = new Map<string, Promise<void>>();
  const end = Date.now() + duration;
  for (let count = 0; Date.now() < end; count += 1) {
    await sleep(random.between(200, 1_200));
    const kind = random.pick(bag);
    const fault = FAULTS[kind];
    if (!fault || under.has(kind)) continue;
    // With choices of its own: they do not depend on what else is drawn meanwhile.
    const run = async () => {
      if ((await fault.run(victims, randomFrom(seed * 1_000 + count))) !== false) tally.fault(kind);
    };
    if (!fault.isLong) await run();
    else
      under.set(
        kind,
        run().finally(() => under.delete(kind)),
      );
  }
  calm.abort();
  await Promise.all(under.values());
}
