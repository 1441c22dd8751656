#!/usr/bin/env node
import { createRequire } from 'node:module';
import { environment } from '../environment.ts';
import type { Io } from './io.ts';
import { openOutput } from './output/output.ts';
import { asksForJson, runProgram } from './run-program.ts';

// By its name, because a bundle has another folder than its sources.
const manifest = createRequire(import.meta.url)('keyturn/package.json');

const args = process.argv.slice(2);
const io: Io = {
  env: environment,
  cwd: process.cwd(),
  stdout: openOutput(process.stdout),
  stderr: openOutput(process.stderr),
  exit: (code) => {
    process.exitCode = code;
  },
};

let isEnding = false;
process.on('uncaughtException', (error) => {
  // It holds even if the command ends while the messages are loaded.
  process.exitCode = 1;
  if (!isEnding) void endWith(error);
  isEnding = true;
});

// It is no fault if the reader stops reading (`keyturn history | head`).
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
}

await runProgram(io, args, manifest);

// The command has ended. A connection to a stalled server must not keep the process alive.
await flushed();
process.exit();

/** Only the message, because an error of pg can carry its client, which has the password. */
async function endWith(error: unknown): Promise<void> {
  try {
    const { writeError } = await import('./write-error.ts');
    writeError(io, error, { json: asksForJson(args) });
  } catch {
    // An upgrade replaces the files of a process that runs, and the messages are among them.
    io.stderr.write('keyturn: it failed, and its own files are gone or replaced. Start it again.');
  }
  await flushed();
  process.exit(1);
}

/**
 * Resolves when the reader has received everything that was written: a pipe takes only 64 KiB at
 * once.
 */
async function flushed(): Promise<void> {
  const ends = [process.stdout, process.stderr].map(
    (stream) => new Promise((done) => stream.write('', done)),
  );
  await Promise.all(ends);
}
