import type { Connection } from '../config/config.ts';
import { type Fact, fact } from '../facts/fact.ts';
import { command, type Remedy } from '../facts/remedy.ts';
import type { Change } from '../postgres/roles/change.ts';
import type { RoleStanding } from '../postgres/roles/role-standing.ts';
import { shellWord } from './shell-word.ts';

/** The default of `--config`. */
const DEFAULT_CONFIG = 'config/';

/**
 * Whether a change is of privileges on what belongs to a superuser, so that only a superuser can
 * make it.
 */
export function isOfSuperuser(
  { does, rights = [], instead }: Change,
  standings: ReadonlyMap<string, RoleStanding>,
): boolean {
  const isGrant = does.code === 'grant-privileges' || does.code === 'revoke-privileges';
  return isGrant && !instead && rights.some((role) => standings.get(role)?.rights === 'never');
}

/** What is left to a superuser: how many changes, on whose objects, and how they are made. */
export function leftToSuperuser(policy: string, changes: readonly Change[], bySuperuser: Remedy): Fact {
  const owners = [...new Set(changes.flatMap(({ rights = [] }) => rights))];
  return fact('privileges-left-to-superuser', { policy, owners, count: changes.length }, bySuperuser) as Fact;
}

/** A complete command that has `keyturn` print SQL, and runs that on the server of a connection. */
export function runPrinted(
  words: readonly string[],
  { connection: { host, port, database }, configPath }: PrintedFor,
): Remedy {
  const given = configPath === undefined || configPath === DEFAULT_CONFIG ? [] : ['--config', configPath];
  const server = ['-h', host, '-p', String(port), '-d', database];
  const print = [...words, ...given, '--sql'].map(shellWord);
  return command(...print, '|', 'psql', '-v', 'ON_ERROR_STOP=1', ...server.map(shellWord));
}

export interface PrintedFor {
  readonly connection: Pick<Connection, 'host' | 'port' | 'database'>;
  /** As it was given to the command; undefined: nobody gave one. */
  readonly configPath?: string | undefined;
}
