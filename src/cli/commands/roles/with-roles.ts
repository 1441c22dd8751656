import type { App } from '../../../app.ts';
import type { Policy } from '../../../config/policy.ts';
import type { Provision } from '../../../ledger/provisions.ts';
import { connect } from '../../../postgres/connection/connect.ts';
import { neighboursOf } from '../../../roles/neighbours-of.ts';
import { refuseRotator } from '../../../roles/refuse-rotator.ts';
import { RequestError } from '../../../roles/request-error.ts';
import type { RolesContext } from '../../../roles/roles-context.ts';

/** Opens the rotator's session in a policy's database for one command. Throws a RequestError for a rotator's policy. */
export async function withRoles<Result>(
  app: App,
  policy: Policy,
  body: (context: RolesContext) => Promise<Result>,
): Promise<Result> {
  refuseRotator(policy);
  // Before the session, which would not be closed where the ledger cannot be asked.
  const latest = await latestProvisions(app);
  const connection = await app.target(policy.connection);
  await using session = await connect(connection);
  try {
    const neighbours = neighboursOf(app.config, policy.connection, 'database').filter(
      (other) => other.type === 'logins',
    );
    return await body({
      policy,
      connection,
      client: session.client,
      // What their logins create, this policy's are to be granted, too.
      creators: neighbours.flatMap(({ owner }) => owner ?? []),
      remembered: latest.get(policy.name),
      sharing: neighbours
        .filter(({ name, owner }) => name !== policy.name && owner !== undefined && owner === policy.owner)
        .flatMap(({ name }) => latest.get(name) ?? [])
        .filter(({ kind, access }) => kind !== 'drop' && access !== null),
    });
  } catch (error) {
    if (error instanceof RequestError && error.faults.length > 0) throw app.faulty(error.faults);
    throw error;
  }
}

/** Without what was chosen last, the plan would be towards something else. */
async function latestProvisions(app: App): Promise<Map<string, Provision>> {
  try {
    return await (await app.ledger()).provisions.latest();
  } catch (cause) {
    throw new Error(
      `The state database, which knows what was chosen last, cannot be asked, so nothing was done: ${(cause as Error).message}`,
      { cause },
    );
  }
}
