import pMap from 'p-map';
import type { App } from '../../../app.ts';
import { serverOfConnection } from '../../../config/values/server.ts';
import { factOf } from '../../../facts/fault.ts';
import { connectRotator } from '../../../postgres/connection/connect-rotator.ts';
import { otherLogins } from '../../../postgres/roles/other-logins.ts';
import { type ListedLogin, listLogins, listPolicy, unseenLogins } from '../../../roles/list-roles.ts';
import { policiesSharing } from '../../../roles/policies-sharing.ts';
import { policyStatus } from '../../../rotation/status.ts';

/** A server has a limited number of connections, and many policies may share it. */
const PARALLEL = { concurrency: 8 };

/** The logins of every policy, of removed policies, and with `all` also those of no policy. */
export async function gatherLogins(app: App, { all }: { readonly all: boolean }): Promise<ListedLogin[]> {
  return [...(await managed(app)), ...(await removed(app)), ...(all ? await unmanaged(app) : [])];
}

/** Logins of the configured policies. */
async function managed(app: App): Promise<ListedLogin[]> {
  const ledger = await app.ledger();
  const policies = [...app.config.policies.values()];
  const names = policies.map(({ name }) => name);
  const [summary, timings] = await Promise.all([ledger.summary(names), ledger.timings(names)]);
  const lists = await pMap(
    policies,
    async (policy) => {
      const history = summary.get(policy.name);
      const timing = timings.get(policy.name) ?? (await ledger.timing(policy.name));
      const made = await madeOf(app, policy.connection, policy.logins);
      return orUnseen(
        policy.logins,
        { policy: policy.name, connection: policy.connection, made },
        async () => {
          await using context = await app.view(policy);
          const status = await policyStatus(policy, history, { timing, context });
          return await listPolicy(context, { status, last: history?.last, made });
        },
      );
    },
    PARALLEL,
  );
  return lists.flat();
}

/** Logins of removed policies, if their roles were created or repaired and not dropped. */
async function removed(app: App): Promise<ListedLogin[]> {
  const { provisions } = await app.ledger();
  const left = [...(await provisions.latest()).values()].filter(
    ({ policy, kind, connection, deactivated }) =>
      (kind !== 'drop' || deactivated.length > 0) &&
      !app.config.policies.has(policy) &&
      app.config.connections.has(connection),
  );
  const lists = await pMap(
    left,
    async ({ policy, connection, logins }) => {
      const known = policiesSharing(app.config, 'server', connection).flatMap((other) => other.logins);
      const rest = logins.filter((login) => !known.includes(login));
      const of = { policy, connection, made: await madeOf(app, connection, rest) };
      if (rest.length === 0) return [];
      return orUnseen(rest, of, async () => {
        await using session = await connectRotator(await app.target(connection));
        return await listLogins(session.client, rest, of);
      });
    },
    PARALLEL,
  );
  return lists.flat();
}

/** Logins of no policy. If several connections lead to the same server, the first is asked. */
async function unmanaged(app: App): Promise<ListedLogin[]> {
  const servers = new Map<string, string>();
  for (const connection of app.config.connections.values()) {
    const server = serverOfConnection(connection);
    if (server !== undefined && !servers.has(server)) servers.set(server, connection.name);
  }
  const lists = await pMap(
    [...servers.values()],
    async (name) => {
      const known = policiesSharing(app.config, 'server', name).flatMap(({ logins }) => logins);
      const of = { policy: null, connection: name, made: [] };
      return orUnseen([], of, async () => {
        await using session = await connectRotator(await app.target(name));
        return await listLogins(session.client, await otherLogins(session.client, known), of);
      });
    },
    PARALLEL,
  );
  return lists.flat();
}

/**
 * The roles of a connection that keyturn created. The embedded PostgreSQL belongs to keyturn, so
 * all logins in it count.
 */
async function madeOf(app: App, connection: string, logins: readonly string[]): Promise<readonly string[]> {
  const settings = app.config.connections.get(connection);
  if (settings && 'embedded' in settings) return logins;
  return (await app.ledger()).provisions.made(connection);
}

/** If a server cannot be asked, only its own logins are unknown. */
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
