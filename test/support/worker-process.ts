import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { expect } from 'vitest';

const [APP, ENVIRONMENT] = ['app.js', 'environment.js'].map((name) =>
  resolve(import.meta.dirname, '../../dist/src', name),
);

export interface WorkerProcess {
  readonly pid: number;
  kill(): Promise<void>;
  stop(): Promise<void>;
  /** What its log has so far. */
  log(): string;
  /** Whether it has ended, of its own or by a signal. */
  hasEnded(): boolean;
  /** Resolves once its log has the text so many times. */
  says(text: string, times?: number): Promise<void>;
}

/** A worker in a process of its own, as `keyturn start` runs it but sweeping more often. Resolves when it is ready. */
export async function startWorkerProcess(
  cwd: string,
  sweepInterval: number,
  env: Readonly<Record<string, string>> = {},
): Promise<WorkerProcess> {
  const script = `
    const { openApp } = await import(${JSON.stringify(APP)});
    const { environment } = await import(${JSON.stringify(ENVIRONMENT)});
    const app = await openApp({ configPath: 'config', env: environment, cwd: process.cwd(), sweepInterval: ${sweepInterval} });
    await app.work();
    console.log('ready');
    process.on('SIGTERM', async () => { await app[Symbol.asyncDispose](); process.exit(0); });
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd,
    env: { ...process.env, KEYTURN_LOG_LEVEL: 'info', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const exited = new Promise<void>((done) => child.once('close', () => done()));
  await new Promise<void>((ready, lost) => {
    child.stdout.once('data', () => ready());
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.once('close', (code) => lost(new Error(`the worker ended with ${code}: ${said}`)));
  });
  return {
    pid: Number(child.pid),
    log: () => said,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    async says(text, times = 1) {
      await expect.poll(() => said.split(text).length - 1).toBeGreaterThanOrEqual(times);
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async stop() {
      if (child.exitCode === null) child.kill('SIGTERM');
      await exited;
    },
  };
}
