import type { Command } from 'commander';
import type { App } from '../../../app.ts';
import { serverOfConnection } from '../../../config/values/server.ts';
import { factOf } from '../../../facts/fault.ts';
import { tell } from '../../../messages/tell.ts';
import { connect } from '../../../postgres/connection/connect.ts';
import { otherLogins } from '../../../postgres/roles/other-logins.ts';
import { type ListedLogin, listLogins, listPolicy, unseenLogins } from '../../../roles/list-roles.ts';
import { policiesSharing } from '../../../roles/policies-sharing.ts';
import { hypotheticalRotation } from '../../../rotation/context/hypothetical-rotation.ts';
import { policyStatus } from '../../../rotation/status.ts';
import type { Io } from '../../io.ts';
import { fromEach } from '../../options/from-each.ts';
import { factJson } from '../../output/fact-json.ts';
import { relative } from '../../output/relative.ts';
import { writeJson, writeTable } from '../../output/table.ts';
import { type ConfigOption, withApp } from '../../with-app.ts';

/** A server has a limited number of connections, and many policies may be on one. */
const PARALLEL = { parallel: 8 };

interface Options extends ConfigOption {
  readonly all?: true;
  readonly json?: true;
}

export function registerList(roles: Command, io: Io): void {
  roles
    .command('list')
    .description('the logins of every policy: their state, who created them, who uses them')
    .option('--config <path>', 'file or folder', 'config/')
    .option('--all', 'include other roles that can log in')
    .option('--json', 'print JSON')
    .action((options: Options) =>
      withApp(io, options, async (app) => {
        const listed = [
          ...(await managed(app)),
          ...(await removed(app)),
          ...(options.all ? await unmanaged(app) : []),
        ];
        if (options.json) writeJson(io, listed.map(listedJson));
        else write(io, listed, app.clock.now());
        const errors = listed.flatMap((each) => errorOf(each) ?? []);
        for (const error of new Set(errors)) io.stderr.write(`keyturn: ${error}\n`);
        if (errors.length > 0) io.exit(1);
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

/**
 * Logins of policies that are not configured any more, whose roles were created or repaired and not
 * dropped.
 */
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
      const known = policiesSharing(app.config, 'server', connection).flatMap((other) => other.logins);
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

/** Logins of no policy. Where several connections lead to the same server, the first is asked. */
async function unmanaged(app: App): Promise<ListedLogin[]> {
  const servers = new Map<string, string>();
  for (const connection of app.config.connections.values()) {
    const server = serverOfConnection(connection);
    if (server !== undefined && !servers.has(server)) servers.set(server, connection.name);
  }
  const lists = await fromEach(
    [...servers.values()],
    async (name) => {
      const known = policiesSharing(app.config, 'server', name).flatMap(({ logins }) => logins);
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

/**
 * The roles of a connection that keyturn created. The embedded PostgreSQL is its own, so there it
 * creates logins before anybody asks for them.
 */
async function madeOf(app: App, connection: string, logins: readonly string[]): Promise<readonly string[]> {
  const settings = app.config.connections.get(connection);
  if (settings && 'embedded' in settings) return logins;
  return (await app.ledger()).provisions.made(connection);
}

/** A server that cannot be asked hides its own logins only. */
async function orUnseen(
  logins: readonly string[],
  of: { policy: string | null; connection: string; made: readonly string[] },
  read: () => Promise<ListedLogin[]>,
): Promise<ListedLogin[]> {
  try {
    return await read();
  } catch (error) {
    return unseenLogins(logins, { ...of, faults: [factOf(error)] });
  }
}

function listedJson(listed: ListedLogin) {
  const { faults, ...login } = listed;
  return { ...login, error: errorOf(listed), faults: faults.map(factJson) };
}

function errorOf({ faults }: ListedLogin): string | null {
  return faults.map(tell).join('; ') || null;
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

/** What to print for null: a login that does not exist has no value, any other one is unknown. */
function unseen({ state }: ListedLogin): string {
  return state === 'missing' ? '-' : 'unknown';
}

function lastRotated({ lastRotatedAt, policy, state }: ListedLogin, now: number): string {
  if (lastRotatedAt !== null) return relative(lastRotatedAt, now);
  return policy === null || state === 'removed' ? '-' : 'never';
}
