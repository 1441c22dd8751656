import { fact } from '../facts/fact.ts';
import { command } from '../facts/remedy.ts';
import { tell } from '../messages/tell.ts';
import type { Io } from './io.ts';

/** Says on stderr that what was asked for waits for a worker, and none is up. */
export function tellNoWorker(io: Io): void {
  io.stderr.write(`keyturn: ${tell(fact('no-worker', {}, command('start')))}\n`);
}
