import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './postgres-server.ts';
import type { Service } from './redis-server.ts';

/** The emulator of AWS_ENDPOINT_URL_SECRETS_MANAGER, or `moto_server` from PATH on a free port; undefined without either. */
export async function startAwsEmulator(): Promise<Service | undefined> {
  const given = process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER;
  if (given) return { url: given, [Symbol.asyncDispose]: async () => {} };
  const port = await freePort();
  // A process group of its own: what PATH has may be a wrapper that starts the real one.
  const child = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], {
    detached: true,
    stdio: 'ignore',
  });
  const pid = await new Promise<number | undefined>((resolve) => {
    child.once('spawn', () => resolve(child.pid));
    child.once('error', () => resolve(undefined));
  });
  if (pid === undefined) return undefined;
  const url = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + 60_000;
  while (
    !(await fetch(`${url}/moto-api/`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (Date.now() > deadline || child.exitCode !== null) throw new Error('moto_server does not answer');
    await sleep(100);
  }
  return {
    url,
    async [Symbol.asyncDispose]() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      process.kill(-pid, 'SIGTERM');
      await gone;
    },
  };
}
