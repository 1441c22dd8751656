import { spawnSync } from 'node:child_process';
import { findProgram } from './programs.ts';

/** A Python that has psycopg 3. Debian's is not always the first on PATH. */
export const PYTHON = [findProgram('python3'), '/usr/bin/python3'].find(
  (path) => path !== undefined && spawnSync(path, ['-c', 'import psycopg']).status === 0,
);
