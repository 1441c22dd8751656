import type { Command } from 'commander';
import type { App } from '../../../app.ts';
import { serverOfConnection } from '../../../config/values/server.ts';
import { connect } from '../../../postgres/connection/connect.ts';
import { otherLogins } from '../../../postgres/roles/other-logins.ts';
import { type ListedLogin, listLogins, listPolicy, unseenLogins } from '../../../roles/list-roles.ts';
import { neighboursOf } from '../../../roles/neighbours-of.ts';
import { hypotheticalRotation } from '../../../rotation/context/hypothetical-rotation.ts';
import { policyStatus } from '../../../rotation/status.ts';
import type { Io } from '../../io.ts';
import { fromEach } from '../../options/from-each.ts';
import { relative } from '../../output/relative.ts';
import { writeJson, writeTable } from '../../output/table.ts';
import { type ConfigOption, withApp } from '../../with-app.ts';

/** Servers have but so many connections, and many policies may be on one. */
const PARALLEL = { parallel: 8 };

interface Options extends ConfigOption {
  readonly all?: true;
  readonly json?: true;
}

export function registerList(roles: Command, io: Io): void {
  roles
    .command('list')
    .description('the logins of every policy: what each is now, who made it, who uses it')
    .option('--config <path>', 'file or folder', 'config/')
    .option('--all', 'other roles that may log in, too')
    .option('--json', 'print JSON')
    .action((options: Options) =>
      withApp(io, options, async (app) => {
        const listed = [
          ...(await managed(app)),
          ...(await removed(app)),
          ...(options.all ? await unmanaged(app) : []),
        ];
        if (options.json) writeJson(io, listed);
        else write(io, listed, app.clock.now());
        for (const error of new Set(listed.flatMap((each) => each.error ?? []))) {
          io.stderr.write(`keyturn: ${error}\n`);
        }
        if (listed.some(({ error }) => error !== null)) io.exit(1);
      }),
    );
}

async function managed(app: App): Promise<ListedLogin[]> {
  const ledger = await app.ledger();
  const policies = [...app.config.policies.values()];
  const names = policies.map(({ name }) => name);
  const [summary, timings] = await Promise.all([ledger.summary(names), ledger.timings(names)]);
  const lists = await fromEach(
    policies,
    async (policy) => {
      const history = summary.get(policy.name);
      const timing = timings.get(policy.name) ?? (await ledger.timing(policy.name));
      const made = await madeOf(app, policy.connection, policy.logins);
      return orUnseen(
        policy.logins,
        { policy: policy.name, connection: policy.connection, made },
        async () => {
          await using context = await app.context(hypotheticalRotation(policy.name, app.clock.now()));
          const status = await policyStatus(policy, history, { timing, context });
          return await listPolicy(context, { status, last: history?.last, made });
        },
      );
    },
    PARALLEL,
  );
  return lists.flat();
}

/** Of policies that are not configured any more, whose roles were made or mended and not dropped. */
async function removed(app: App): Promise<ListedLogin[]> {
  const { provisions } = await app.ledger();
  const left = [...(await provisions.latest()).values()].filter(
    ({ policy, kind, connection, deactivated }) =>
      (kind !== 'drop' || deactivated.length > 0) &&
      !app.config.policies.has(policy) &&
      app.config.connections.has(connection),
  );
  const lists = await fromEach(
    left,
    async ({ policy, connection, logins }) => {
      const known = neighboursOf(app.config, connection, 'server').flatMap((other) => other.logins);
      const rest = logins.filter((login) => !known.includes(login));
      const of = { policy, connection, made: await madeOf(app, connection, rest) };
      if (rest.length === 0) return [];
      return orUnseen(rest, of, async () => {
        await using session = await connect(await app.target(connection));
        return await listLogins(session.client, rest, of);
      });
    },
    PARALLEL,
  );
  return lists.flat();
}

/** Of connections that lead to the same server the first is asked. */
async function unmanaged(app: App): Promise<ListedLogin[]> {
  const servers = new Map<string, string>();
  for (const connection of app.config.connections.values()) {
    const server = serverOfConnection(connection);
    if (server !== undefined && !servers.has(server)) servers.set(server, connection.name);
  }
  const lists = await fromEach(
    [...servers.values()],
    async (name) => {
      const known = neighboursOf(app.config, name, 'server').flatMap(({ logins }) => logins);
      const of = { policy: null, connection: name, made: [] };
      return orUnseen([], of, async () => {
        await using session = await connect(await app.target(name));
        return await listLogins(session.client, await otherLogins(session.client, known), of);
      });
    },
    PARALLEL,
  );
  return lists.flat();
}

/** The roles of a connection that keyturn made. The embedded PostgreSQL is its own: there it makes logins before they are asked for. */
async function madeOf(app: App, connection: string, logins: readonly string[]): Promise<readonly string[]> {
  const settings = app.config.connections.get(connection);
  if (settings && 'embedded' in settings) return logins;
  return (await app.ledger()).provisions.made(connection);
}

/** One server that cannot be asked hides what is on it, and nothing of the others. */
async function orUnseen(
  logins: readonly string[],
  of: { policy: string | null; connection: string; made: readonly string[] },
  read: () => Promise<ListedLogin[]>,
): Promise<ListedLogin[]> {
  try {
    return await read();
  } catch (error) {
    return unseenLogins(logins, { ...of, error: (error as Error).message });
  }
}

function write(io: Io, listed: readonly ListedLogin[], now: number): void {
  writeTable(
    io,
    ['login', 'policy', 'state', 'made by', 'sessions', 'member of', 'last rotated'],
    listed.flatMap((each) => (each.login === null ? [] : [rowOf(each, each.login, now)])),
  );
}

function rowOf(each: ListedLogin, login: string, now: number): string[] {
  return [
    login,
    each.policy ?? '-',
    each.state ?? (each.policy === null ? '-' : 'unknown'),
    each.state === 'missing' ? '-' : each.made ? 'keyturn' : 'found',
    each.sessions === null ? unseen(each) : String(each.sessions),
    each.memberOf === null ? unseen(each) : each.memberOf.join(', ') || '-',
    lastRotated(each, now),
  ];
}

/** For what was not found out: nothing of a login that is not there, else that it is unknown. */
function unseen({ state }: ListedLogin): string {
  return state === 'missing' ? '-' : 'unknown';
}

function lastRotated({ lastRotatedAt, policy, state }: ListedLogin, now: number): string {
  if (lastRotatedAt !== null) return relative(lastRotatedAt, now);
  return policy === null || state === 'removed' ? '-' : 'never';
}
