import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/** Where a program is, if it is on PATH or in one of the other folders. */
export function findProgram(name: string, ...folders: readonly string[]): string | undefined {
  return [...(process.env.PATH ?? '').split(delimiter), ...folders]
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}

export const PSQL = findProgram('psql');

/**
 * Logs in with psql, which is told nothing but these variables and arguments. Returns the login and
 * the database that PostgreSQL sees.
 */
export async function logInByPsql(
  env: Readonly<Record<string, string>>,
  { args = [], before = '' }: { readonly args?: readonly string[]; readonly before?: string } = {},
): Promise<readonly [user: string, database: string]> {
  const query = 'SELECT json_build_array(session_user, current_database())';
  const script = `${before}exec ${String(PSQL)} -XAtw "$@"`;
  const { stdout } = await promisify(execFile)('sh', ['-c', script, 'sh', '-c', query, ...args], {
    env: { PATH: process.env.PATH, PGCONNECT_TIMEOUT: '10', ...env },
  });
  return JSON.parse(stdout);
}
