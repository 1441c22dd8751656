import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WebhookSink } from '../../src/config/sink.ts';
import { isPublicAddress } from '../../src/config/values/public-address.ts';
import type { Attempt } from '../../src/events/attempt.ts';
import { signedPost } from '../../src/events/http/send-webhook.ts';
import { send } from '../../src/events/send.ts';
import { testEvent } from '../../src/events/told-event.ts';
import { type Receiver, startHostile, startReceiver, verified } from '../support/webhook-receiver.ts';

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;
const SECRET = newSecret();
const EVENT = testEvent('ops', Date.parse('2026-01-31T10:00:00Z'));

function sink(url: string, change: Partial<WebhookSink> = {}): WebhookSink {
  const common = { name: 'ops', type: 'webhook', format: 'standard', allowPrivate: true } as const;
  return { ...common, url, secrets: [SECRET], timeout: 5_000, ...change };
}

function sendTo(url: string, change: Partial<WebhookSink> = {}): Promise<Attempt> {
  return send(sink(url, change), EVENT, new AbortController().signal);
}

/** What is said of an attempt that failed. */
async function faultOf(attempt: Promise<Attempt>) {
  const said = await attempt;
  return said.isDelivered ? 'delivered' : { ...said.fact, isSinkAway: said.isSinkAway };
}

describe('a receiver that checks signatures with the library of Standard Webhooks', () => {
  let receiver: Receiver;
  beforeAll(async () => {
    receiver = await startReceiver(SECRET);
  });
  afterAll(() => receiver[Symbol.asyncDispose]());

  test('takes a webhook, and finds the event in it', async () => {
    expect(await sendTo(receiver.url)).toEqual({ isDelivered: true });
    const { event, headers } = receiver.received.at(-1) ?? {};
    expect(event).toEqual(EVENT);
    expect(headers?.['webhook-id']).toBe(EVENT.id);
  });

  test('takes one while its secret is replaced, which two secrets sign', async () => {
    expect(await sendTo(receiver.url, { secrets: [newSecret(), SECRET] })).toEqual({ isDelivered: true });
    expect(await faultOf(sendTo(receiver.url, { secrets: [newSecret()] }))).toMatchObject({
      code: 'sink-answered',
      params: { status: 401 },
      isSinkAway: false,
    });
  });

  test('takes a CloudEvent, which has the same id and data', async () => {
    expect(await sendTo(receiver.url, { format: 'cloudevents' })).toEqual({ isDelivered: true });
    const { body = '', headers } = receiver.received.at(-1) ?? {};
    expect(headers?.['content-type']).toBe('application/cloudevents+json; charset=utf-8');
    expect(JSON.parse(body)).toMatchObject({
      specversion: '1.0',
      id: EVENT.id,
      source: '/keyturn',
      type: 'keyturn.test',
      data: EVENT.data,
    });
  });

  test('refuses one that was altered, or replayed later, or under another id', () => {
    const at = new Date();
    const { body, headers } = signedPost({ secrets: [SECRET], format: 'standard' }, EVENT, at);
    expect(verified(SECRET, body, headers)).toEqual(EVENT);
    expect(verified(SECRET, body.replace('ops', 'oops'), headers)).toBeUndefined();
    expect(verified(SECRET, body, { ...headers, 'webhook-id': randomUUID() })).toBeUndefined();
    const fresh = String(Math.floor(at.getTime() / 1000) + 1);
    expect(verified(SECRET, body, { ...headers, 'webhook-timestamp': fresh })).toBeUndefined();
    const old = signedPost(
      { secrets: [SECRET], format: 'standard' },
      EVENT,
      new Date(at.getTime() - 301_000),
    );
    expect(() => new Webhook(SECRET).verify(old.body, old.headers)).toThrow('too old');
  });

  test.each([
    [500, 'sink-answered', true],
    [404, 'sink-answered', false],
    [410, 'sink-gone', false],
    [302, 'sink-redirects', true],
  ])('that answers %i has not taken it', async (status, code, isSinkAway) => {
    receiver.answer(status, { location: 'http://169.254.169.254/latest/meta-data/' });
    const before = receiver.received.length;
    expect(await faultOf(sendTo(receiver.url))).toMatchObject({ code, isSinkAway });
    expect(receiver.received.length).toBe(before + 1);
    receiver.answer(204);
  });

  test.each([
    ['17', 17_000],
    [new Date(Date.now() + 60_000).toUTCString(), 60_000],
    ['99999999', 3_600_000],
    ['soon', undefined],
  ])('that answers 429 with Retry-After: %s is left alone for that long', async (retryAfter, expected) => {
    receiver.answer(429, { 'retry-after': retryAfter });
    const attempt = await sendTo(receiver.url);
    receiver.answer(204);
    if (attempt.isDelivered) throw new Error('it was delivered');
    if (expected === undefined) expect(attempt.retryAfter).toBeUndefined();
    else expect(Math.abs((attempt.retryAfter ?? 0) - expected)).toBeLessThan(5_000);
  });
});

describe('a hostile receiver holds nothing up', () => {
  const SHORT = { timeout: 500 };
  const bounded = async (url: string) => {
    const begin = performance.now();
    const fault = await faultOf(sendTo(url, SHORT));
    expect(performance.now() - begin).toBeLessThan(2_500);
    return fault;
  };

  test('one that never answers', async () => {
    await using hostile = await startHostile(() => {});
    expect(await bounded(hostile.url)).toMatchObject({ code: 'sink-too-slow', isSinkAway: true });
  });

  test('one that sends its headers a byte at a time', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.write('HTTP/1.1 200 OK\r\nx: ');
      const timer = setInterval(() => socket.write('y'), 20);
      socket.on('close', () => clearInterval(timer));
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    expect(await bounded(`http://127.0.0.1:${port}/`)).toMatchObject({ code: 'sink-too-slow' });
    for (const socket of sockets) socket.destroy();
    await new Promise((done) => server.close(done));
  });

  test('one whose answer has no end: its status counts, and the rest is not read', async () => {
    let written = 0;
    await using hostile = await startHostile((_, response) => {
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) written += 65_536;
      };
      response.on('drain', more).on('error', () => {});
      more();
    });
    expect(await bounded(hostile.url)).toBe('delivered');
    expect(written).toBeLessThan(16 * 2 ** 20);
  });

  test('one whose headers have no end', async () => {
    await using hostile = await startHostile((request) => {
      const { socket } = request;
      socket.on('error', () => {});
      socket.write('HTTP/1.1 200 OK\r\n');
      for (let line = 0; line < 5_000; line += 1) socket.write(`x-${line}: ${'y'.repeat(50)}\r\n`);
    });
    expect(await bounded(hostile.url)).toMatchObject({ code: 'sink-unreachable' });
  });

  test('one that answers with another protocol (G6)', async () => {
    await using hostile = await startHostile(({ socket }) => {
      socket.on('error', () => {});
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
    });
    expect(await bounded(hostile.url)).toMatchObject({ code: 'sink-answered', params: { status: 101 } });
  });

  test('one that breaks the connection', async () => {
    await using hostile = await startHostile((request) => request.socket.destroy());
    expect(await bounded(hostile.url)).toMatchObject({ code: 'sink-unreachable', isSinkAway: true });
  });

  test('one that is not there', async () => {
    const { url } = await (async () => {
      await using gone = await startHostile(() => {});
      return gone;
    })();
    expect(await bounded(url)).toMatchObject({ code: 'sink-unreachable' });
  });

  test('a delivery that is ended throws, so that it counts as nothing', async () => {
    await using hostile = await startHostile(() => {});
    const closing = new AbortController();
    const sending = send(sink(hostile.url), EVENT, closing.signal);
    closing.abort();
    await expect(sending).rejects.toThrow();
  });
});

describe('an address that is not of the Internet', () => {
  test.each([
    'https://127.0.0.1/',
    'https://0.0.0.0/',
    'https://10.1.2.3/',
    'https://169.254.169.254/latest/meta-data/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://[::1]/',
    'https://[::]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:a9fe:a9fe]/',
    'https://[fe80::1]/',
    'https://[fd00:ec2::254]/',
    'https://[64:ff9b::a9fe:a9fe]/',
    'https://[2002:7f00:1::]/',
    // The name is resolved for the connection, and what it stands for then is checked.
    'https://localhost/',
  ])('%s is refused, and nothing is sent', async (url) => {
    expect(await faultOf(sendTo(url, { allowPrivate: false }))).toMatchObject({
      code: 'sink-address-refused',
      isSinkAway: true,
    });
  });

  test('localhost is refused where a receiver listens, and allowed where the sink says so', async () => {
    await using receiver = await startReceiver(SECRET);
    const url = receiver.url.replace('127.0.0.1', 'localhost');
    expect(await faultOf(sendTo(url, { allowPrivate: false }))).toMatchObject({
      code: 'sink-address-refused',
    });
    expect(receiver.received).toEqual([]);
    expect(await sendTo(url)).toEqual({ isDelivered: true });
  });

  test('nothing goes to the Internet in plaintext', async () => {
    expect(await faultOf(sendTo('http://8.8.8.8/'))).toMatchObject({ code: 'sink-plaintext-refused' });
  });

  test.each([
    ['8.8.8.8', true],
    ['172.15.255.255', true],
    ['172.16.0.0', false],
    ['100.64.0.1', false],
    ['224.0.0.1', false],
    ['255.255.255.255', false],
    ['2606:4700:4700::1111', true],
    ['2001:db8::1', false],
    ['fe80::1%eth0', false],
    ['example.com', false],
  ])('%s: %s', (address, isPublic) => {
    expect(isPublicAddress(address)).toBe(isPublic);
  });
});
