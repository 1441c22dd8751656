import { createServer } from 'node:net';
import { join } from 'node:path';
import { fault } from '../../facts/fault.ts';
import { readOwn, replaceOwn } from './own-files.ts';

export const HOST = '127.0.0.1';

/**
 * The port of the last time, or a free one if that is taken. It is remembered for the next time.
 */
export async function choosePort(data: string): Promise<number> {
  const file = join(data, '..', 'port');
  const remembered = Number((await readOwn(file).catch(() => undefined)) ?? '0');
  const port = (await freePort(remembered)) ?? (await freePort(0));
  if (port === undefined) throw fault('embedded-ports-taken', { host: HOST });
  await replaceOwn(file, String(port));
  return port;
}

/** The wanted port if it is free, or any free one for 0; undefined if there is none. */
export function freePort(wanted: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(undefined));
    probe.listen(Number.isInteger(wanted) && wanted > 0 && wanted < 65_536 ? wanted : 0, HOST, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}
