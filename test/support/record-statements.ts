import pg from 'pg';

/** A statement as a session of keyturn's sent it, BullMQ's own aside. */
export interface Recorded {
  readonly database: string;
  readonly sql: string;
}

/** Records what sessions of this process send, until it is disposed of; each statement once. */
export function recordStatements(): { readonly statements: readonly Recorded[] } & Disposable {
  const statements: Recorded[] = [];
  const seen = new Set<string>();
  const { query } = pg.Client.prototype;
  // Its overloads are many, and none of them matters here.
  const recording = function (this: pg.Client, ...args: unknown[]) {
    const { connectionParameters: parameters } = this as unknown as {
      connectionParameters: { application_name?: string; database: string };
    };
    const [first] = args;
    const sql = typeof first === 'string' ? first : String((first as { text?: unknown }).text);
    const { application_name: name = '', database } = parameters;
    const isOwn = name.startsWith('keyturn ') && !name.startsWith('keyturn test') && !isOfBullMq();
    if (isOwn && !seen.has(database + sql)) {
      seen.add(database + sql);
      statements.push({ database, sql });
    }
    return Reflect.apply(query, this, args);
  };
  pg.Client.prototype.query = recording as typeof query;
  return {
    statements,
    [Symbol.dispose]() {
      pg.Client.prototype.query = query;
    },
  };
}

/** Its sessions, and its migrations in a session of ours. */
function isOfBullMq(): boolean {
  return String(new Error().stack).includes('/bullmq/');
}
