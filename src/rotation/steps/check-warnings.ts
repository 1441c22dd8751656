import { counted } from '../../counted.ts';
import { quoteIdentifier } from '../../postgres/identifier.ts';
import { type OwnedObjects, ownedObjects } from '../../postgres/owned-objects.ts';
import { describePrepared } from '../../postgres/prepared-transaction.ts';
import { usesOf } from '../../postgres/sessions.ts';
import { outsideChanges } from '../outside-changes.ts';
import { pooledClients } from '../pooled-clients.ts';
import { frozenLogins, type RotationContext } from '../rotation-context.ts';

/** What `check` lets pass although it will trouble somebody. */
export async function checkWarnings(context: RotationContext): Promise<string[]> {
  const client = await context.rotator();
  const { logins } = context.policy;
  const owned = await ownedObjects(client, logins);
  const { incoming } = frozenLogins(context);
  const prepared = (await usesOf(client, [incoming])).get(incoming)?.prepared ?? [];
  const changes = await outsideChanges(context);
  const { clients } = await pooledClients(context, incoming);
  return [
    ...changes.map(
      ({ found, instead, effect }) => `${instead === null ? '' : 'adopted: '}${found}; ${effect}`,
    ),
    ...clients.map(
      (who) =>
        `${who}: they logged in before ${incoming} was revoked; they would use its new password, or by trying the old one have PgBouncer refuse new clients for its server_login_retry; end them (KILL_CLIENT, from PgBouncer 1.24 on)`,
    ),
    ...logins.flatMap((login) => warnOfOwnership(context, login, owned)),
    // No password of any session is at stake, so this is no reason to refuse.
    ...(prepared.length === 0
      ? []
      : [
          `the incoming login ${incoming} has ${counted(prepared.length, 'prepared transaction')} that still holds locks: ${prepared.map(describePrepared).join(', ')}`,
        ]),
  ];
}

/** Only an owner may alter or drop an object, and nobody else has rights on it unless granted, the other login included. */
function warnOfOwnership(
  { policy }: RotationContext,
  login: string,
  owned: readonly OwnedObjects[],
): readonly string[] {
  const own = owned.filter(({ role }) => role === login);
  if (own.length === 0) return [];
  const other = policy.logins.find((name) => name !== login);
  const where = own.map(({ database, count, examples }) => {
    const named = [...examples, ...(examples.length > 0 && examples.length < count ? ['…'] : [])];
    const what = named.length > 0 ? ` (${named.join(', ')})` : '';
    return `${counted(count, 'object')} ${database === null ? 'of the whole cluster' : `in database ${database}`}${what}`;
  });
  const remedy = policy.owner
    ? `run in each of these databases: REASSIGN OWNED BY ${quoteIdentifier(login)} TO ${quoteIdentifier(policy.owner)}`
    : `make a role that both belong to the policy's owner, and run in each of these databases: REASSIGN OWNED BY ${quoteIdentifier(login)} TO that role`;
  return [
    `${login} itself owns ${where.join(' and ')}, on which ${other} has no rights but those granted to it; ${remedy}`,
  ];
}
