import type { Config, Connection } from '../config/config.ts';
import type { Path } from '../config/config-error.ts';
import type { Policy } from '../config/policy.ts';
import type { Fact } from '../facts/fact.ts';
import { factOf, fault, isFault } from '../facts/fault.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Provision } from '../ledger/provisions.ts';
import { connectRotator } from '../postgres/connection/connect-rotator.ts';
import { policiesSharing } from './policies-sharing.ts';
import { refuseRotator } from './refuse-rotator.ts';
import type { RolesContext } from './roles-context.ts';

/** What is needed of the application to work on the roles of its policies. */
export interface RolesParts {
  readonly config: Config;
  readonly configPath?: string;
  ledger(): Promise<Ledger>;
  /** A connection by its name. */
  target(name: string): Promise<Connection>;
  /** The error for what is wrong with entries of the configuration. */
  faulty(problems: readonly { readonly path: Path; readonly fact: Fact }[]): Error;
}

/**
 * Opens the rotator's session in a policy's database for one command. Throws a fault for a rotator
 * policy.
 */
export async function withRoles<Result>(
  app: RolesParts,
  policy: Policy,
  body: (context: RolesContext) => Promise<Result>,
): Promise<Result> {
  refuseRotator(policy);
  // Ask the ledger first: if it cannot be asked, no session is left open.
  const latest = await latestProvisions(app);
  const connection = await app.target(policy.connection);
  await using session = await connectRotator(connection);
  try {
    const neighbours = policiesSharing(app.config, 'database', policy.connection).filter(
      (other) => other.type === 'logins',
    );
    return await body({
      policy,
      connection,
      configPath: app.configPath,
      client: session.client,
      // The roles of this policy get privileges on what the logins of those policies create.
      creators: neighbours.flatMap(({ owner }) => owner ?? []),
      remembered: latest.get(policy.name),
      sharing: neighbours
        .filter(({ name, owner }) => name !== policy.name && owner !== undefined && owner === policy.owner)
        .flatMap(({ name }) => latest.get(name) ?? [])
        .filter(({ kind, access }) => kind !== 'drop' && access !== null),
    });
  } catch (error) {
    if (!isFault(error, 'roles-not-creatable')) throw error;
    throw app.faulty(error.fact.params.problems);
  }
}

/** Without the last choice, the plan would aim at something else. */
async function latestProvisions(app: RolesParts): Promise<Map<string, Provision>> {
  try {
    return await (await app.ledger()).provisions.latest();
  } catch (cause) {
    throw fault('roles-last-choice-unknown', { cause: factOf(cause) }, { cause });
  }
}
