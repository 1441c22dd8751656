import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** What a hostile server says after the startup message, and after each answer. */
export type Script = readonly ((answer: string) => Buffer)[];

/** Something that speaks the protocol of PostgreSQL, is none, and keeps all that it is told. */
export interface FakePostgres extends AsyncDisposable {
  readonly port: number;
  /** What clients sent after their startup message, a text for each connection. */
  readonly heard: readonly string[];
  /** Forgets what was heard, and plays this script from the next connection on. */
  play(script: Script): void;
}

const SSL_REQUEST = 80877103;

export async function startFakePostgres({ hangsUp = true } = {}): Promise<FakePostgres> {
  let script: Script = [];
  let heard: string[] = [];
  const open = new Set<Socket>();

  const server = createServer({ allowHalfOpen: !hangsUp }, (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket)).on('error', () => {});
    const mine = { script, heard, turn: 0, started: false, index: -1 };
    const say = (answer: string) => {
      const next = mine.script[mine.turn];
      mine.turn += 1;
      if (next) socket.write(next(answer));
    };
    socket.on('data', (data) => {
      if (mine.started) {
        mine.heard[mine.index] += data.toString('latin1');
        return say(data.toString('latin1'));
      }
      if (data.length === 8 && data.readInt32BE(4) === SSL_REQUEST) return void socket.write('N');
      mine.started = true;
      mine.index = mine.heard.push('') - 1;
      say('');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get heard() {
      return heard;
    },
    play(next) {
      script = next;
      heard = [];
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A message of the protocol: https://www.postgresql.org/docs/current/protocol-message-formats.html */
export function message(type: string, body: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** A request for authentication by its number. */
export function authentication(code: number, body: Buffer | string = ''): Buffer {
  const number = Buffer.alloc(4);
  number.writeInt32BE(code);
  return message('R', Buffer.concat([number, Buffer.from(body)]));
}

/** What lets a client in: AuthenticationOk, BackendKeyData and ReadyForQuery. */
export const WELCOME = Buffer.concat([
  authentication(0),
  message('K', Buffer.from([0, 0, 0, 1, 0, 0, 0, 2])),
  message('Z', Buffer.from('I')),
]);

/** What answers a simple query with rows, all of them text. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): Buffer {
  const int16 = (value: number) => Buffer.from([value >> 8, value & 255]);
  const int32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return bytes;
  };
  const TEXT = 25;
  const column = (name: string) =>
    Buffer.concat([
      Buffer.from(`${name}\0`),
      int32(0),
      int16(0),
      int32(TEXT),
      int16(65_535),
      int32(-1),
      int16(0),
    ]);
  const value = (text: string) => Buffer.concat([int32(Buffer.byteLength(text)), Buffer.from(text)]);
  return Buffer.concat([
    message('T', Buffer.concat([int16(columns.length), ...columns.map(column)])),
    ...rows.map((row) => message('D', Buffer.concat([int16(row.length), ...row.map(value)]))),
    message('C', Buffer.from('SHOW\0')),
    message('Z', Buffer.from('I')),
  ]);
}

/** The nonce in a client's SASLInitialResponse. */
export function nonceIn(answer: string): string {
  return /,r=([^,]*)$/.exec(answer)?.[1] ?? '';
}
