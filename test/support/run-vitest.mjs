// What `npm run bench`, `chaos` and `soak` share: vitest in a process of its own, which leaves a result in a file.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

/**
 * Runs `vitest run` with these arguments. `environment` gets the path of a file for the result. Calls `onEnd` with the
 * text of that file, undefined where there is none, and whether vitest passed; and sets the exit code.
 */
export function runVitest(name, { args, stdio, environment, onEnd }) {
  const folder = mkdtempSync(join(tmpdir(), `keyturn-${name}-`));
  const result = join(folder, 'result');
  const vitest = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args], {
    cwd: root,
    stdio,
    env: { ...process.env, ...environment(result) },
  });
  // Ctrl-C reaches both; vitest clears up, and this one waits for it.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => vitest.kill(signal));
  vitest.on('close', (code) => {
    const text = readResult(result);
    rmSync(folder, { recursive: true, force: true });
    onEnd({ text, isPassed: code === 0 });
    process.exitCode = code === 0 ? 0 : 1;
  });
}

function readResult(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // What went wrong was said already.
    return undefined;
  }
}
