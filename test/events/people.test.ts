import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChatSink, CommandSink, MailSink, Sink } from '../../src/config/sink.ts';
import type { Attempt } from '../../src/events/attempt.ts';
import { slackMessage, teamsMessage } from '../../src/events/http/send-chat.ts';
import { send } from '../../src/events/send.ts';
import { type ToldEvent, testEvent } from '../../src/events/told-event.ts';
import { haveOpenssl, type Issued, openAuthority } from '../support/certificates.ts';
import { startHostile } from '../support/webhook-receiver.ts';

const NASTY = '<!channel> *b* [x](https://evil.example) & <b>\r\nBcc: thief@example.com';
const TEST = testEvent('ops', Date.parse('2026-01-31T10:00:00Z'));
const EVENT: ToldEvent = {
  ...TEST,
  type: 'rotation.failed',
  data: { ...TEST.data, policy: NASTY, message: NASTY },
};

const sendTo = (sink: Sink, signal = new AbortController().signal): Promise<Attempt> =>
  send(sink, EVENT, signal);
async function faultOf(attempt: Promise<Attempt>) {
  const said = await attempt;
  return said.isDelivered ? 'delivered' : { ...said.fact, isSinkAway: said.isSinkAway };
}

describe('a chat', () => {
  test.each(['slack', 'teams'] as const)('of %s gets the event as JSON', async (type) => {
    const bodies: string[] = [];
    await using hostile = await startHostile(async (request, response) => {
      bodies.push(await text(request));
      response.writeHead(200).end('ok');
    });
    const sink: ChatSink = { name: 'chat', type, url: hostile.url, allowPrivate: true, timeout: 5_000 };
    expect(await faultOf(sendTo(sink))).toBe('delivered');
    const expected = type === 'slack' ? slackMessage(EVENT) : teamsMessage(EVENT);
    expect(bodies.map((body) => JSON.parse(body))).toEqual([expected]);
  });

  test('of Slack has no markup: what it shows is plain text, and what notifies is escaped', () => {
    const message = slackMessage(EVENT) as {
      readonly text: string;
      readonly blocks: readonly { readonly text: { readonly type: string } }[];
    };
    expect(message.text).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
    expect(message.text).toContain('&lt;!channel&gt;');
    expect(message.blocks.map(({ text: { type } }) => type)).toEqual(['plain_text']);
  });

  test('of Teams has texts in which nothing is Markdown', () => {
    const types = [...JSON.stringify(teamsMessage(EVENT)).matchAll(/"type":"(\w+)"/g)].map(
      ([, type]) => type,
    );
    expect(types).toContain('TextRun');
    expect(types).not.toContain('TextBlock');
  });

  test('gets long messages in part', () => {
    const long = { ...EVENT, data: { ...EVENT.data, message: 'x'.repeat(100_000) } };
    expect(JSON.stringify(slackMessage(long)).length).toBeLessThan(10_000);
    expect(JSON.stringify(teamsMessage(long)).length).toBeLessThan(10_000);
  });
});

describe.skipIf(!haveOpenssl)('a mail server', () => {
  let issued: Issued;
  let ca: string;
  beforeAll(async () => {
    await using authority = await openAuthority('keyturn mail');
    ca = authority.ca;
    issued = await authority.issue({ commonName: 'localhost' });
  });

  interface Mail {
    readonly from: string;
    readonly to: readonly string[];
    readonly content: string;
    readonly secure: boolean;
    readonly user: string | undefined;
  }

  async function startMail(options: SMTPServerOptions = {}) {
    const mails: Mail[] = [];
    const server = new SMTPServer({
      ...issued,
      authOptional: true,
      logger: false,
      onAuth: ({ username, password }, _session, done) =>
        password === 'right' ? done(null, { user: username }) : done(new Error('wrong: hunter2')),
      onData: async (stream, { envelope, secure, user }, done) => {
        const content = await text(stream);
        mails.push({
          from: envelope.mailFrom ? envelope.mailFrom.address : '',
          to: envelope.rcptTo.map(({ address }) => address),
          content,
          secure,
          user: user === undefined ? undefined : String(user),
        });
        done();
      },
      ...options,
    });
    server.on('error', () => {});
    const port = await new Promise<number>((ready) => {
      const listener = server.listen(0, '127.0.0.1', () => {
        const address = listener.address();
        ready(typeof address === 'object' ? (address?.port ?? 0) : 0);
      });
    });
    const sink: MailSink = {
      name: 'mail',
      type: 'mail',
      host: '127.0.0.1',
      port,
      from: 'keyturn@example.com',
      to: ['ops@example.com', 'dba@example.com'],
      tls: { mode: 'verify-full', ca, servername: 'localhost' },
      timeout: 3_000,
    };
    return {
      mails,
      sink,
      [Symbol.asyncDispose]: () => new Promise<void>((done) => server.close(() => done())),
    };
  }

  test('takes one mail over TLS, in which data is no header', async () => {
    await using server = await startMail();
    const sink = { ...server.sink, user: 'keyturn', password: 'right' };
    expect(await faultOf(sendTo(sink))).toBe('delivered');
    const [mail] = server.mails;
    expect(mail).toMatchObject({
      from: 'keyturn@example.com',
      to: ['ops@example.com', 'dba@example.com'],
      secure: true,
      user: 'keyturn',
    });
    const [headers = ''] = mail?.content.split('\r\n\r\n') ?? [];
    expect(headers).toContain(`Message-ID: <${EVENT.id}@keyturn>`);
    expect(headers).not.toMatch(/^Bcc:/im);
  });

  test('that offers no TLS, or has another certificate, gets nothing', async () => {
    await using plain = await startMail({ disabledCommands: ['STARTTLS'] });
    expect(await faultOf(sendTo(plain.sink))).toMatchObject({ isSinkAway: true });
    await using other = await startMail();
    const { ca: _, ...tls } = other.sink.tls;
    expect(await faultOf(sendTo({ ...other.sink, tls }))).toMatchObject({ code: 'sink-unreachable' });
    const elsewhere = { ...other.sink.tls, servername: 'mail.example.com' };
    expect(await faultOf(sendTo({ ...other.sink, tls: elsewhere }))).toMatchObject({ isSinkAway: true });
    expect([...plain.mails, ...other.mails]).toEqual([]);
  });

  test('that refuses the login or a receiver says so by a code, and its words are not repeated (G3)', async () => {
    await using server = await startMail({
      onRcptTo: (_address, _session, done) =>
        done(Object.assign(new Error('hunter2'), { responseCode: 550 })),
    });
    const refused = await faultOf(sendTo({ ...server.sink, user: 'keyturn', password: 'hunter2' }));
    expect(refused).toMatchObject({ code: 'sink-mail-refused', params: { reply: 535 }, isSinkAway: true });
    const receiver = await faultOf(sendTo(server.sink));
    expect(receiver).toMatchObject({ code: 'sink-mail-refused', params: { reply: 550 }, isSinkAway: false });
    expect(JSON.stringify([refused, receiver])).not.toContain('hunter2');
  });

  test('that says nothing holds nothing up', async () => {
    await using silent = await startHostile(() => {});
    const { sink, ...server } = await startMail();
    await server[Symbol.asyncDispose]();
    const begin = performance.now();
    const late = sendTo({ ...sink, port: silent.port, timeout: 500 });
    expect(await faultOf(late)).toMatchObject({ isSinkAway: true });
    expect(await faultOf(sendTo(sink))).toMatchObject({ code: 'sink-unreachable' });
    expect(performance.now() - begin).toBeLessThan(3_000);
  });
});

describe('a mail server that does as it likes', () => {
  interface Conversation {
    readonly socket: Socket;
    /** Resolves when the client has ended it. */
    readonly closed: Promise<void>;
  }

  /** Answers each line of the client, without TLS. */
  async function startSmtp(answer: (line: string, socket: Socket) => void) {
    const conversations: Conversation[] = [];
    const server = createServer((socket) => {
      conversations.push({ socket, closed: new Promise((closed) => socket.on('close', () => closed())) });
      socket.on('error', () => {}).write('220 here\r\n');
      createInterface({ input: socket }).on('line', (line) => answer(line, socket));
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const sink: MailSink = {
      ...{ name: 'mail', type: 'mail', host: '127.0.0.1', timeout: 3_000, tls: { mode: 'disable' } },
      ...{ port: (server.address() as AddressInfo).port, user: 'keyturn', password: 'hunter2' },
      ...{ from: 'keyturn@example.com', to: ['ops@example.com'] },
    };
    return {
      sink,
      conversations,
      async [Symbol.asyncDispose]() {
        for (const { socket } of conversations) socket.destroy();
        await new Promise((done) => server.close(done));
      },
    };
  }

  test.each([
    ['without digits', (line: string) => line],
    ['decoded', (line: string) => Buffer.from(line.split(' ').at(-1) ?? '', 'base64').toString()],
    ['as a number', () => '50260131'],
  ])('and repeats the login %s has none of it shown (G3)', async (_, repeated) => {
    await using server = await startSmtp((line, socket) => {
      socket.write(line.startsWith('EHLO') ? '250-here\r\n250 AUTH PLAIN\r\n' : `${repeated(line)}\r\n`);
    });
    const refused = await faultOf(sendTo({ ...server.sink, password: '50260131' }));
    expect(refused).toMatchObject({ isSinkAway: true, params: { detail: 'EAUTH' } });
    const login = Buffer.from(['', 'keyturn', '50260131'].join('\0')).toString('base64');
    for (const secret of ['50260131', login]) expect(JSON.stringify(refused)).not.toContain(secret);
  });

  test('and never ends its answer is left after the timeout', async () => {
    await using server = await startSmtp((_line, socket) => {
      const trickle = setInterval(() => socket.write('250-more\r\n'), 50);
      socket.on('close', () => clearInterval(trickle));
    });
    const begin = performance.now();
    expect(await faultOf(sendTo({ ...server.sink, timeout: 500 }))).toMatchObject({ code: 'sink-too-slow' });
    await server.conversations[0]?.closed;
    expect(performance.now() - begin).toBeLessThan(2_500);
  });

  test('is left when the worker stops', async () => {
    const closing = new AbortController();
    await using server = await startSmtp(() => closing.abort());
    const begin = performance.now();
    await expect(sendTo({ ...server.sink, timeout: 10_000 }, closing.signal)).rejects.toThrow();
    await server.conversations[0]?.closed;
    expect(performance.now() - begin).toBeLessThan(2_500);
  });
});

describe('a command', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keyturn-command-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const sink = (command: readonly string[], change: Partial<CommandSink> = {}): CommandSink => ({
    ...{ name: 'script', type: 'command', command, env: {}, timeout: 5_000 },
    ...change,
  });
  const script = (code: string, ...args: string[]) => [process.execPath, '-e', code, ...args];

  test('has the event on its stdin, its arguments as they are, and nothing else in its environment', async () => {
    const file = join(folder, 'told.json');
    const code = `
      let text = '';
      process.stdin.on('data', (chunk) => { text += chunk; }).on('end', () => require('fs').writeFileSync(
        process.env.FILE, JSON.stringify({ text, args: process.argv.slice(1), env: Object.keys(process.env).sort() })))`;
    const env = { FILE: file };
    const odd = ['$(touch x); `id`', '*'];
    expect(await faultOf(sendTo(sink(script(code, ...odd), { env })))).toBe('delivered');
    const told = JSON.parse(await readFile(file, 'utf8'));
    expect({ ...told, text: JSON.parse(told.text) }).toEqual({
      text: EVENT,
      args: odd,
      env: ['FILE', 'PATH'],
    });
  });

  test('that fails, or that is not there, has not taken it', async () => {
    expect(await faultOf(sendTo(sink(script('process.exit(3)'))))).toEqual({
      code: 'sink-command-failed',
      params: { exit: 3, signal: null },
      isSinkAway: false,
    });
    expect(await faultOf(sendTo(sink(['/nowhere/tell'])))).toMatchObject({
      code: 'sink-command-not-started',
      params: { command: '/nowhere/tell', detail: 'ENOENT' },
    });
    await writeFile(join(folder, 'no-program'), 'x');
    expect(await faultOf(sendTo(sink([join(folder, 'no-program')])))).toMatchObject({
      params: { detail: 'EACCES' },
    });
  });

  test('that writes without end and does not read holds nothing up, and ends with what it started', async () => {
    const file = join(folder, 'late');
    const child = `setTimeout(() => require('fs').writeFileSync(${JSON.stringify(file)}, ''), 1_000)`;
    const code = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}]);
      setInterval(() => process.stdout.write('x'.repeat(65536)), 1)`;
    const begin = performance.now();
    expect(await faultOf(sendTo(sink(script(code), { timeout: 500 })))).toMatchObject({
      code: 'sink-too-slow',
    });
    expect(performance.now() - begin).toBeLessThan(1_500);
    await new Promise((later) => setTimeout(later, 1_500));
    await expect(access(file)).rejects.toThrow('ENOENT');
  });

  test('is killed when the worker stops, which counts as nothing', async () => {
    const closing = new AbortController();
    const sending = sendTo(sink(script('setInterval(() => {}, 1_000)')), closing.signal);
    closing.abort();
    await expect(sending).rejects.toThrow();
  });
});
