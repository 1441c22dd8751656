import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import type { QueueRedis, Tls } from '../../src/config/config.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { haveOpenssl, openAuthority } from '../support/certificates.ts';
import { CLUSTER_PASSWORD, startLoneNode } from '../support/redis-cluster.ts';
import { redisProcesses } from '../support/redis-processes.ts';
import { startSentinel } from '../support/redis-sentinels.ts';

const it = test.skipIf(inject('redis') === undefined || !haveOpenssl);

/** The code of the fault, or nothing where it is reached. */
async function codeOf(redis: QueueRedis): Promise<string | undefined> {
  const queue = openQueue({ redis }, { nextSlot: async () => undefined, onFault: () => {} });
  const code = await queue.reach().then(
    () => undefined,
    ({ fact }) => fact.code,
  );
  await queue.close();
  return code;
}

it('sentinels, their primary and a cluster are checked by their certificates, and by the name that is configured', async () => {
  await using authority = await openAuthority('the CA of Redis');
  await using stranger = await openAuthority('another CA');
  const { cert, key } = await authority.issue({
    commonName: 'redis',
    names: ['DNS:redis.internal', 'IP:127.0.0.1'],
  });
  await using processes = await redisProcesses();
  const file = async (name: string, text: string) => {
    await writeFile(join(processes.folder, name), text);
    return join(processes.folder, name);
  };
  const options = {
    'tls-cert-file': await file('cert.pem', cert),
    'tls-key-file': await file('key.pem', key),
    'tls-ca-cert-file': await file('ca.pem', authority.ca),
    'tls-auth-clients': 'no',
    'tls-replication': 'yes',
    'tls-cluster': 'yes',
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const { ca } = authority;
  const primary = await processes.start({
    args: [...args, '--requirepass', 'data-pass-1'],
    password: 'data-pass-1',
    ca,
  });
  const sentinel = await startSentinel(processes, primary.port, { options, ca });
  await using node = await startLoneNode([...args, '--cluster-announce-ip', '127.0.0.1'], ca);

  const both = (tls: Tls): QueueRedis[] => [
    {
      sentinels: [{ host: '127.0.0.1', port: sentinel.port }],
      name: 'mymaster',
      database: 0,
      password: 'data-pass-1',
      sentinelPassword: 'watch-pass-1',
      tls,
      plaintext: false,
    },
    { cluster: [{ host: '127.0.0.1', port: node.port }], password: CLUSTER_PASSWORD, tls, plaintext: false },
  ];
  const codes = (tls: Tls) => Promise.all(both(tls).map(codeOf));
  // Each fault takes five seconds.
  const [trusted, named, unchecked] = [
    await codes({ mode: 'verify-full', ca }),
    await codes({ mode: 'verify-full', ca, servername: 'redis.internal' }),
    await codes({ mode: 'require' }),
  ];
  const [unknown, misnamed, unencrypted] = await Promise.all([
    codes({ mode: 'verify-full', ca: stranger.ca }),
    codes({ mode: 'verify-full', ca, servername: 'db.internal' }),
    codes({ mode: 'disable' }),
  ]);
  const reached = [undefined, undefined];
  expect({ trusted, named, unchecked }).toEqual({ trusted: reached, named: reached, unchecked: reached });
  const failed = ['queue-tls-failed', 'queue-tls-failed'];
  expect({ unknown, misnamed }).toEqual({ unknown: failed, misnamed: failed });
  expect(unencrypted).toEqual(['queue-unreachable', 'queue-unreachable']);
});
