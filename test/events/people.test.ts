import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
