import { counted } from '../../counted.ts';
import { quoteIdentifier } from '../../postgres/identifier.ts';
import { type Login, readLogins } from '../../postgres/login.ts';
import { readServer } from '../../postgres/rotator.ts';
import { describeSession, sessionsIn } from '../../postgres/sessions.ts';
import { windowEnd } from '../../schedule/due-slot.ts';
import { outsideChanges, refuseOutsideChanges } from '../outside-changes.ts';
import { publisherOf } from '../publisher-of.ts';
import { Refusal } from '../refusal.ts';
import { refuseMissingPrivileges } from '../refuse-missing-privileges.ts';
import { refuseUnfitReplicas } from '../refuse-unfit-replicas.ts';
import { resolveLogins } from '../resolve-logins.ts';
import { frozenLogins, holds, type RotationContext } from '../rotation-context.ts';
import type { Step } from '../step.ts';
import { checkWarnings } from './check-warnings.ts';

const OLDEST_SERVER = 140_000;

/** Resolves the logins and refuses whatever would stop or endanger the steps that follow. Changes nothing. */
export const check: Step = {
  name: 'check',
  async isDone(context) {
    const primary = context.destinations[0];
    const staged = (await holds(context, primary, 'current')) || (await holds(context, primary, 'pending'));
    return staged && context.rotation.incoming !== null;
  },
  async run(context) {
    const logins = await inspect(context);
    context.rotation = await context.ledger.freeze(context.rotation.id, logins);
    return undefined;
  },
  async describe(context) {
    const { incoming, outgoing } = frozenLogins(context);
    return `finds nothing in the way: ${incoming} comes in, ${outgoing} goes out`;
  },
  warnings: checkWarnings,
};

/** What `check` finds, without recording it. Throws a Refusal that names the first thing in the way. */
export async function inspect(
  context: RotationContext,
): Promise<{ readonly incoming: string; readonly outgoing: string }> {
  const { policy, rotation } = context;
  if (rotation.publishedAt !== null) {
    throw new Refusal(
      `${context.destinations[0].name} no longer publishes what this rotation published on ${rotation.publishedAt.toISOString()}, so ${rotation.outgoing} is not revoked; find out who changed the secret, then rotate again`,
    );
  }
  refuseLateStart(context);
  const client = await context.rotator();
  const server = await readServer(client);
  if (server.pooled) {
    throw new Refusal(
      `${context.connection.host}:${context.connection.port} is a pooler, which could let a login in without PostgreSQL; point the connection at PostgreSQL itself, and list a PgBouncer under pgbouncer`,
    );
  }
  if (server.standby) {
    throw new Refusal(
      `${context.connection.host}:${context.connection.port} is a standby server, where logins cannot be altered; point the connection at the primary`,
    );
  }
  if (server.version < OLDEST_SERVER) {
    throw new Refusal(`PostgreSQL ${Math.trunc(server.version / 10_000)} is too old; 14 or newer is needed`);
  }

  const found = await readLogins(client, policy.logins);
  const absent = policy.logins.filter((login) => !found.has(login));
  if (absent.length > 0) {
    throw new Refusal(
      `The login ${absent.join(' and the login ')} does not exist; run: ${absent.map((login) => `CREATE ROLE ${quoteIdentifier(login)} NOLOGIN`).join('; ')}`,
    );
  }
  await refuseMissingPrivileges(context);
  refuseDifference(policy.logins, policy.owner, found);

  await refuseUnfitReplicas(context);
  const sessions = sessionsIn(await context.uses(policy.logins));
  refuseOutsideChanges(context, await outsideChanges(context));
  const published = await context.read(context.destinations[0], 'current');
  const logins =
    context.rotation.incoming && context.rotation.outgoing
      ? { incoming: context.rotation.incoming, outgoing: context.rotation.outgoing }
      : resolveLogins(policy.logins, published?.fields.username, found, sessions);
  const still = sessions.get(logins.incoming) ?? [];
  if (still.length > 0) {
    throw new Refusal(
      `The incoming login ${logins.incoming} still has ${counted(still.length, 'session')}: ${still.map(describeSession).join(', ')}; find out who uses it and end them`,
    );
  }
  await refusePublished(context, logins.incoming);
  return logins;
}

/** A rotation that waited for a worker, or for its database, until its window was over is left to the next slot. */
function refuseLateStart({ policy: { schedule }, rotation, clock }: RotationContext): void {
  if (!schedule || !rotation.slot || rotation.incoming !== null) return;
  const end = windowEnd(schedule, rotation.slot.getTime());
  if (end === undefined || clock.now() < end) return;
  throw new Refusal(
    `The window of the slot ${rotation.slot.toISOString()} was over at ${new Date(end).toISOString()}, before the rotation could start; the next slot is not affected`,
  );
}

/** Consumers must notice nothing but the name, so the logins may differ in nothing else. */
function refuseDifference(
  pair: readonly [string, string],
  owner: string | undefined,
  found: ReadonlyMap<string, Login>,
): void {
  const [a, b] = pair.map((name) => found.get(name)) as [Login, Login];
  for (const login of [a, b]) {
    if (login.expired) {
      throw new Refusal(
        `The login ${login.name} is past its VALID UNTIL; run: ALTER ROLE ${quoteIdentifier(login.name)} VALID UNTIL 'infinity'`,
      );
    }
    if (owner === undefined) continue;
    const name = quoteIdentifier(login.name);
    if (!login.memberOf.includes(owner)) {
      throw new Refusal(
        `The login ${login.name} is not a member of its owner ${owner}; run: GRANT ${quoteIdentifier(owner)} TO ${name}`,
      );
    }
    if (login.defaultRole !== owner) {
      throw new Refusal(
        `What ${login.name} creates would not belong to the owner ${owner}; run: ALTER ROLE ${name} SET role = ${quoteIdentifier(owner)}`,
      );
    }
  }
  const only = (one: Login, other: Login) =>
    one.traits
      .filter((trait) => !other.traits.includes(trait))
      .map((trait) => `only ${one.name} has ${trait}`);
  const differences = [...only(a, b), ...only(b, a)];
  if (differences.length > 0) {
    throw new Refusal(
      `The logins must differ in nothing but their names, but ${differences.join(', ')}; make them equal`,
    );
  }
}

async function refusePublished(context: RotationContext, incoming: string): Promise<void> {
  const publisher = await publisherOf(context, incoming);
  if (!publisher) return;
  throw new Refusal(
    `${publisher.name} publishes ${incoming}, which would be given a new password under its readers; correct that secret first`,
  );
}
