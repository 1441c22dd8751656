import type { Command } from 'commander';
import type { App } from '../../app.ts';
import { connect } from '../../postgres/connect.ts';
import { otherLogins } from '../../postgres/roles/other-logins.ts';
import { type ListedLogin, listLogins, listPolicy } from '../../roles/list-roles.ts';
import { neighboursOf } from '../../roles/neighbours-of.ts';
import { hypotheticalRotation } from '../../rotation/hypothetical-rotation.ts';
import { policyStatus } from '../../rotation/status.ts';
import type { Io } from '../io.ts';
import { relative } from '../relative.ts';
import { writeJson, writeTable } from '../table.ts';
import { type ConfigOption, withApp } from '../with-app.ts';

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
  const lists = await Promise.all(
    policies.map(async (policy) => {
      await using context = await app.context(hypotheticalRotation(policy.name, app.clock.now()));
      const history = summary.get(policy.name);
      const timing = timings.get(policy.name) ?? (await ledger.timing(policy.name));
      const status = await policyStatus(policy, history, { timing, context });
      const made = await ledger.provisions.made(policy.connection);
      return await listPolicy(context, { status, last: history?.last, made });
    }),
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
  const lists = await Promise.all(
    left.map(async ({ policy, connection, logins }) => {
      const known = neighboursOf(app.config, connection, 'server').flatMap((other) => other.logins);
      await using session = await connect(await app.target(connection));
      return await listLogins(
        session.client,
        logins.filter((login) => !known.includes(login)),
        { policy, connection, made: await provisions.made(connection) },
      );
    }),
  );
  return lists.flat();
}

/** Of connections that lead to the same server the first is asked. */
async function unmanaged(app: App): Promise<ListedLogin[]> {
  const servers = new Map<string, string>();
  for (const connection of app.config.connections.values()) {
    const server = 'embedded' in connection ? 'embedded' : `${connection.host}:${connection.port}`;
    if (!servers.has(server)) servers.set(server, connection.name);
  }
  const lists = await Promise.all(
    [...servers.values()].map(async (name) => {
      const known = neighboursOf(app.config, name, 'server').flatMap(({ logins }) => logins);
      await using session = await connect(await app.target(name));
      const others = await otherLogins(session.client, known);
      return await listLogins(session.client, others, { policy: null, connection: name, made: [] });
    }),
  );
  return lists.flat();
}

function write(io: Io, listed: readonly ListedLogin[], now: number): void {
  writeTable(
    io,
    ['login', 'policy', 'state', 'made by', 'sessions', 'member of', 'last rotated'],
    listed.map((each) => [
      each.login,
      each.policy ?? '-',
      each.state ?? (each.policy === null ? '-' : 'unknown'),
      each.made ? 'keyturn' : 'found',
      each.sessions === null ? (each.state === 'missing' ? '-' : 'unknown') : String(each.sessions),
      each.memberOf === null ? '-' : each.memberOf.join(', ') || '-',
      lastRotated(each, now),
    ]),
  );
}

function lastRotated({ lastRotatedAt, policy, state }: ListedLogin, now: number): string {
  if (lastRotatedAt !== null) return relative(lastRotatedAt, now);
  return policy === null || state === 'removed' ? '-' : 'never';
}
