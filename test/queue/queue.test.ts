import { randomUUID } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JobHandlers } from '../../src/queue/job.ts';
import { openQueue } from '../../src/queue/queue.ts';
import type { RotationQueue } from '../../src/queue/rotation-queue.ts';
import { haveOpenssl, selfSigned } from '../support/certificates.ts';
import { freePort } from '../support/postgres-server.ts';
import { openBull, QUEUE_BACKENDS, type QueuePlace } from '../support/queue-backends.ts';

const idle: JobHandlers = { rotate: async () => {}, slot: async () => {}, sweep: async () => {} };

describe.each(QUEUE_BACKENDS)('the queue on %s', (_name, open, available) => {
  const it = test.skipIf(!available);
  let place: QueuePlace;
  let queue: RotationQueue;
  let nextSlot: (policy: string, after: number) => Promise<number | undefined>;

  beforeEach(async () => {
    if (!available) return;
    place = await open();
    nextSlot = async () => undefined;
    queue = openQueue(place.backend, {
      nextSlot: (policy, after) => nextSlot(policy, after),
      onFault: () => {},
    });
  });
  afterEach(async () => {
    if (!available) return;
    await queue.close();
    await place[Symbol.asyncDispose]();
  });

  it('runs a rotation once, however often it was queued', async () => {
    const id = randomUUID();
    const ran: unknown[] = [];
    for (let time = 0; time < 3; time += 1) await queue.enqueue({ id, policy: 'p' });
    const last = randomUUID();
    await queue.enqueue({ id: last, policy: 'p' });
    const worker = await queue.work({ ...idle, rotate: async (job) => void ran.push(job.data.rotation) });
    await expect.poll(() => ran.includes(last)).toBe(true);
    await worker.close();
    expect(ran.sort()).toEqual([id, last].sort());
  });

  it('takes a rotation again once it has ended', async () => {
    const id = randomUUID();
    let runs = 0;
    const worker = await queue.work({
      ...idle,
      rotate: async () => {
        runs += 1;
      },
    });
    await queue.enqueue({ id, policy: 'p' });
    await expect.poll(() => runs).toBe(1);
    await expect
      .poll(async () => {
        await queue.enqueue({ id, policy: 'p' });
        return runs;
      })
      .toBeGreaterThan(1);
    await worker.close();
  });

  it('counts the workers that are up', async () => {
    expect(await queue.workers()).toBe(0);
    const worker = await queue.work(idle);
    await expect.poll(() => queue.workers()).toBe(1);
    await worker.close();
    await expect.poll(() => queue.workers()).toBe(0);
  });

  it('asks when a policy is due, runs its slot then, and asks again', async () => {
    const slots: unknown[] = [];
    nextSlot = async (policy, after) => (policy === 'p' ? after + 100 : undefined);
    const worker = await queue.work({ ...idle, slot: async (job) => void slots.push(job.data.policy) });
    await queue.reschedule('p');
    await queue.reschedule('never');
    await expect.poll(() => slots.length).toBeGreaterThanOrEqual(3);
    expect(new Set(slots)).toEqual(new Set(['p']));
    await queue.schedule(new Map());
    await worker.close();
  });

  it('has one scheduler and one job for a policy, however many make it at once', async () => {
    const slot = Date.now() + 3_600_000;
    nextSlot = async () => slot;
    const others = Array.from({ length: 4 }, () =>
      openQueue(place.backend, { nextSlot: async () => slot, onFault: () => {} }),
    );
    const due = new Map(Array.from({ length: 30 }, (_, index) => [`p${index}`, slot]));
    for (let round = 0; round < 3; round += 1) {
      await Promise.all([queue, ...others].map((each) => each.schedule(due)));
      await Promise.all([queue, ...others].map((each) => each.reschedule('p0')));
    }
    await Promise.all(others.map((each) => each.close()));
    const bull = openBull(place.backend);
    expect((await bull.getJobSchedulers()).map(({ next }) => next)).toEqual([...due].map(() => slot));
    expect((await bull.getDelayed()).length).toBe(due.size);
    await bull.close();
  });

  it('sweeps at once when first scheduled', async () => {
    let sweeps = 0;
    const worker = await queue.work({
      ...idle,
      sweep: async () => {
        sweeps += 1;
      },
    });
    await queue.keepSweeping();
    await queue.keepSweeping();
    await expect.poll(() => sweeps).toBe(1);
    await worker.close();
  });
});

test.skipIf(!haveOpenssl)('tells a Redis that will not be reached by waiting from one that may', async () => {
  const sockets = new Set<Socket>();
  const listen = async (server: Server) => {
    server.on('connection', (socket) => sockets.add(socket));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const address = server.address();
    return typeof address === 'object' ? address?.port : undefined;
  };
  const untrusted = createTlsServer(await selfSigned('redis'));
  const withoutTls = createServer((socket) => socket.on('error', () => {}).end('-ERR Protocol error\r\n'));
  const refusal = async (redis: string) => {
    const queue = openQueue({ redis }, { nextSlot: async () => undefined, onFault: () => {} });
    const { fact } = await queue.reach().catch((error) => error);
    await queue.close();
    return fact;
  };
  const refusals = await Promise.all([
    refusal(`rediss://127.0.0.1:${await listen(untrusted)}`),
    refusal(`rediss://127.0.0.1:${await listen(withoutTls)}`),
    refusal(`redis://127.0.0.1:${await freePort()}`),
  ]);
  const saying = (detail: string) => ({
    server: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    detail: expect.stringContaining(detail),
  });
  expect(refusals).toEqual([
    { code: 'queue-tls-failed', params: saying('self-signed certificate') },
    { code: 'queue-tls-failed', params: saying('wrong version number') },
    { code: 'queue-unreachable', params: { ...saying('ECONNREFUSED'), tls: false } },
  ]);
  for (const socket of sockets) socket.destroy();
  for (const server of [untrusted, withoutTls]) await new Promise((closed) => server.close(closed));
});
