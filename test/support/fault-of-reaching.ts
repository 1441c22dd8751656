import type { QueueRedis } from '../../src/config/config.ts';
import type { Fact } from '../../src/facts/fact.ts';
import { openQueue } from '../../src/queue/queue.ts';

/** Why a queue on this Redis cannot be reached; undefined where it can. */
export async function faultOfReaching(redis: QueueRedis): Promise<Fact | undefined> {
  const queue = openQueue({ redis }, { nextSlot: async () => undefined, onFault: () => {} });
  const { fact } = await queue.reach().then(
    () => ({ fact: undefined }),
    (error) => error,
  );
  await queue.close();
  return fact;
}
