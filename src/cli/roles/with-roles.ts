import type { App } from '../../app.ts';
import type { Policy } from '../../policy/policy.ts';
import { connect } from '../../postgres/connect.ts';
import { neighboursOf } from '../../roles/neighbours-of.ts';
import { refuseRotator } from '../../roles/refuse-rotator.ts';
import { RequestError } from '../../roles/request-error.ts';
import type { RolesContext } from '../../roles/roles-context.ts';

/** Opens the rotator's session in a policy's database for one command. Throws a RequestError for a rotator's policy. */
export async function withRoles<Result>(
  app: App,
  policy: Policy,
  { withLedger }: { readonly withLedger: boolean },
  body: (context: RolesContext) => Promise<Result>,
): Promise<Result> {
  refuseRotator(policy);
  const latest = withLedger ? await (await app.ledger()).provisions.latest() : undefined;
  // The session would not be closed where the ledger cannot be asked.
  const connection = await app.target(policy.connection);
  await using session = await connect(connection);
  try {
    return await body({
      policy,
      connection,
      client: session.client,
      // What their logins create, this policy's are to be granted, too.
      creators: neighboursOf(app.config, policy.connection, 'database').flatMap(({ owner }) => owner ?? []),
      remembered: latest?.get(policy.name),
    });
  } catch (error) {
    if (error instanceof RequestError && error.faults.length > 0) throw app.faulty(error.faults);
    throw error;
  }
}
