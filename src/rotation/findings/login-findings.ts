import { counted } from '../../counted.ts';
import { readServer } from '../../postgres/connection/rotator.ts';
import { type Login, readLogins } from '../../postgres/logins/login.ts';
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
import { sessionsOfNobody } from '../../postgres/sessions/sessions-of-nobody.ts';
import type { LoginsView } from '../context/rotation-context.ts';
import type { Finding } from './finding.ts';

/** What a rotation that is about to begin knows of itself. */
export interface Turn {
  /** The published login, which goes out. What is broken about it is mended by rotating, so it stops no rotation. */
  readonly outgoing?: string | undefined;
  /** An emergency goes on where the logins only differ: a login may alter its own settings. */
  readonly emergency?: boolean;
}

/** What is wrong with the logins themselves. Consumers must notice nothing but the name, so they may differ in nothing else. */
export async function loginFindings(
  view: LoginsView,
  { outgoing, emergency = false }: Turn = {},
): Promise<Finding[]> {
  const { logins, owner } = view.policy;
  const client = await view.rotator();
  const found = await readLogins(client, [...logins, ...(owner === undefined ? [] : [owner])]);
  const absent = logins.filter((login) => !found.has(login));
  const remedy = `make what is missing with keyturn roles create ${view.policy.name}, or by hand`;
  const ownerless =
    owner === undefined || found.has(owner)
      ? []
      : [{ ...fail(`The owner ${owner} does not exist`, [createRole(owner)]), remedy }];
  if (absent.some((login) => login !== outgoing)) {
    const text =
      absent.length === 1
        ? `The login ${absent[0]} does not exist`
        : `The logins ${absent.join(' and ')} do not exist`;
    return [...ownerless, { ...fail(text, absent.map(createRole)), remedy }];
  }
  const present = logins.flatMap((login) => found.get(login) ?? []);
  const { database } = view.connection;
  const { version } = await readServer(client);
  const each = (login: Login, of: (login: Login) => Finding[], isMild: boolean) =>
    isMild && login.name === outgoing ? of(login).map(mildly) : of(login);
  const differences = present.length < 2 ? [] : differenceFindings(present as [Login, Login], owner);
  return [
    ...absent.map((login) => goneFinding(login, logins)),
    ...(absent.length > 0 ? strayFindings(await sessionsOfNobody(client)) : []),
    ...present.flatMap((login) => each(login, (it) => shutFindings(it, database), true)),
    ...ownerless,
    ...(owner === undefined
      ? []
      : present.flatMap((login) =>
          each(login, (it) => ownerFindings(it, owner, { database, version }), emergency),
        )),
    ...(emergency ? differences.map(mildly) : differences),
  ];
}

function fail(text: string, sql: readonly string[]): Finding {
  return { level: 'fail', about: 'logins', text, sql };
}

function mildly(finding: Finding): Finding {
  return finding.level === 'fail' ? { ...finding, level: 'warn' } : finding;
}

/** The outgoing login was dropped or renamed: there is nothing to revoke, and nothing to wait for. */
function goneFinding(login: string, logins: readonly string[]): Finding {
  const incoming = logins.find((name) => name !== login);
  return {
    level: 'warn',
    about: 'logins',
    text: `The login ${login} is published and does not exist, so consumers are refused until ${incoming} takes its place; nothing of ${login} is revoked`,
    remedy: `if it was renamed, shut it out under its new name; before the next rotation make it again with keyturn roles create`,
  };
}

/** Sessions outlive the role that they came in as, and whoever dropped that may have wanted them gone. */
function strayFindings(pids: readonly number[]): Finding[] {
  if (pids.length === 0) return [];
  return [
    {
      level: 'warn',
      about: 'sessions',
      text: `${counted(pids.length, 'session')} of logins that were dropped go on; of which login each was cannot be told`,
      sql: pids.map((pid) => `SELECT pg_catalog.pg_terminate_backend(${pid})`),
    },
  ];
}

/** Why a login could not log in, whatever its password. */
function shutFindings({ name, expired, connectionLimit, mayConnect }: Login, database: string): Finding[] {
  return [
    ...(expired ? [fail(`The login ${name} is past its VALID UNTIL`, [neverExpire(name)])] : []),
    ...(connectionLimit === 0
      ? [
          fail(`The login ${name} has CONNECTION LIMIT 0, so nobody can log in as it`, [
            limitConnections(name, -1),
          ]),
        ]
      : []),
    ...(mayConnect
      ? []
      : [
          fail(`The login ${name} may not connect to the database ${database}`, [
            grantConnect(database, [name]),
          ]),
        ]),
  ];
}

function ownerFindings(
  { name, memberOf, canBecome, defaultRole, hasDefaultRoleHere: here }: Login,
  owner: string,
  { database, version }: { readonly database: string; readonly version: number },
): Finding[] {
  const lacks = memberOf.includes(owner)
    ? `may not SET ROLE to its owner ${owner}, though it is a member`
    : `is not a member of its owner ${owner}`;
  return [
    ...(canBecome.includes(owner)
      ? []
      : [
          fail(`The login ${name} ${lacks}`, [
            grantMembership(owner, name, { options: version >= WITH_OPTIONS }),
          ]),
        ]),
    ...(defaultRole === owner
      ? []
      : [
          fail(
            `What ${name} creates would not belong to the owner ${owner}`,
            setDefaultRole(name, owner, { database, here }),
          ),
        ]),
  ];
}

function differenceFindings([first, second]: [Login, Login], owner: string | undefined): Finding[] {
  const isShut = [first, second].some(({ connectionLimit }) => connectionLimit === 0);
  // What concerns the owner is told above.
  const rest = ({ memberOf, settings, connectionLimit, ...login }: Login): Login => ({
    ...login,
    memberOf: memberOf.filter((role) => role !== owner),
    settings: settings.filter(({ name }) => owner === undefined || name !== 'role'),
    // So is a limit that lets nobody in, which says nothing of how many the other is meant to let in.
    connectionLimit: isShut ? -1 : connectionLimit,
  });
  const differences = loginDifferences(rest(first), rest(second));
  if (differences.length === 0) return [];
  return [
    fail(
      `The logins must differ in nothing but their names, but ${differences.map(({ what }) => what).join(', ')}`,
      differences.map(({ remedy }) => remedy),
    ),
  ];
}
