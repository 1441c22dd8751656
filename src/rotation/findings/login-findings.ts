import type { LoginsPolicy } from '../../config/policy.ts';
import { fact } from '../../facts/fact.ts';
import { command, sql } from '../../facts/remedy.ts';
import type { Login } from '../../postgres/logins/login.ts';
import { loginDifferences } from '../../postgres/logins/login-differences.ts';
import { grantConnect } from '../../postgres/roles/grant-statements.ts';
import {
  createRole,
  grantMembership,
  limitConnections,
  neverExpire,
  setDefaultRole,
} from '../../postgres/roles/role-statements.ts';
import { WITH_OPTIONS } from '../../postgres/roles/with-options.ts';
import { sessionsOfNobody, terminations } from '../../postgres/sessions/sessions.ts';
import type { PolicyView } from '../context/policy-view.ts';
import { type Finding, finding } from './finding.ts';

/** What a rotation that is about to begin knows of itself. */
export interface Turn {
  /**
   * The published login, which goes out. What is wrong with it is put right by rotating, so it
   * stops no rotation.
   */
  readonly outgoing?: string | undefined;
  /** An emergency goes on where the logins only differ: a login may alter its own settings. */
  readonly emergency?: boolean;
}

/**
 * What is wrong with the logins themselves. Consumers must notice nothing but the name, so they may
 * differ in nothing else.
 */
export async function loginFindings(
  view: PolicyView<LoginsPolicy>,
  { outgoing, emergency = false }: Turn = {},
): Promise<Finding[]> {
  const { name: policy, logins, owner } = view.policy;
  const { logins: found, server } = await view.survey();
  const absent = logins.filter((login) => !found.has(login));
  const ownerless =
    owner === undefined || found.has(owner)
      ? []
      : [finding('fail', 'logins', fact('owner-missing', { owner, policy }, sql(createRole(owner))))];
  if (absent.some((login) => login !== outgoing)) {
    const missing = fact('logins-missing', { logins: absent, policy }, sql(...absent.map(createRole)));
    return [...ownerless, finding('fail', 'logins', missing)];
  }
  const present = logins.flatMap((login) => found.get(login) ?? []);
  const { database } = view.connection;
  const { version } = server;
  const asWarningIf = (isMild: boolean, findings: Finding[]) => (isMild ? findings.map(asWarning) : findings);
  return [
    ...absent.map((login) => missingOutgoing(login, view.policy)),
    ...(absent.length > 0 ? orphanFindings(await sessionsOfNobody(await view.rotator())) : []),
    ...present.flatMap((login) => asWarningIf(login.name === outgoing, entryFindings(login, database))),
    ...ownerless,
    ...(owner === undefined
      ? []
      : present.flatMap((login) =>
          asWarningIf(
            emergency && login.name === outgoing,
            ownerFindings(login, owner, { database, version }),
          ),
        )),
    ...asWarningIf(emergency, differenceFindings(present, owner)),
  ];
}

function asWarning(found: Finding): Finding {
  return found.level === 'fail' ? { ...found, level: 'warn' } : found;
}

/**
 * The outgoing login was dropped or renamed: there is nothing to revoke, and nothing to wait for.
 */
function missingOutgoing(login: string, policy: LoginsPolicy): Finding {
  const incoming = policy.logins.find((name) => name !== login) ?? '';
  const missing = fact(
    'published-login-missing',
    { login, incoming },
    command('roles', 'create', policy.name),
  );
  return finding('warn', 'logins', missing);
}

/**
 * Sessions outlive the role that they came in as, and whoever dropped that may have wanted them
 * gone.
 */
function orphanFindings(pids: readonly number[]): Finding[] {
  if (pids.length === 0) return [];
  const end = sql(...terminations(pids));
  return [finding('warn', 'sessions', fact('sessions-of-dropped-logins', { count: pids.length }, end))];
}

/** Why a login could not log in, whatever its password. */
function entryFindings(
  { name: login, expired, connectionLimit, mayConnect }: Login,
  database: string,
): Finding[] {
  const facts = [
    ...(expired ? [fact('login-expired', { login }, sql(neverExpire(login)))] : []),
    ...(connectionLimit === 0
      ? [fact('login-connection-limit-zero', { login }, sql(limitConnections(login, -1)))]
      : []),
    ...(mayConnect
      ? []
      : [fact('login-may-not-connect', { login, database }, sql(grantConnect(database, [login])))]),
  ];
  return facts.map((each) => finding('fail', 'logins', each));
}

function ownerFindings(
  { name: login, memberOf, canBecome, defaultRole, hasDefaultRoleHere: here }: Login,
  owner: string,
  { database, version }: { readonly database: string; readonly version: number },
): Finding[] {
  const findings: Finding[] = [];
  if (!canBecome.includes(owner)) {
    const code = memberOf.includes(owner) ? 'login-may-not-set-role' : 'login-not-member-of-owner';
    const grant = grantMembership(owner, login, { options: version >= WITH_OPTIONS });
    findings.push(finding('fail', 'logins', fact(code, { login, owner }, sql(grant))));
  }
  if (defaultRole !== owner) {
    const set = setDefaultRole(login, owner, { database, here });
    findings.push(finding('fail', 'logins', fact('login-creates-as-itself', { login, owner }, sql(...set))));
  }
  return findings;
}

function differenceFindings(present: readonly Login[], owner: string | undefined): Finding[] {
  const [first, second] = present;
  if (first === undefined || second === undefined) return [];
  const isShut = present.some(({ connectionLimit }) => connectionLimit === 0);
  // Memberships and settings that concern the owner have findings of their own.
  const comparable = ({ memberOf, settings, connectionLimit, ...login }: Login): Login => ({
    ...login,
    memberOf: memberOf.filter((role) => role !== owner),
    settings: settings.filter(({ name }) => owner === undefined || name !== 'role'),
    // So has a limit of 0, which does not say how many sessions the other login is meant to have.
    connectionLimit: isShut ? -1 : connectionLimit,
  });
  const differences = loginDifferences(comparable(first), comparable(second));
  if (differences.length === 0) return [];
  const differ = fact(
    'logins-differ',
    { differences: differences.map(({ info }) => info) },
    sql(...differences.map(({ remedy }) => remedy)),
  );
  return [finding('fail', 'logins', differ)];
}
