import { type Command, CommanderError } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { isFault } from '../facts/fault.ts';
import { isWrongRequest } from '../facts/wrong-request.ts';
import { tellError, tellProblem } from '../messages/tell.ts';
import { registerCancel } from './commands/cancel.ts';
import { registerDemo } from './commands/demo.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerHistory } from './commands/history.ts';
import { registerPause } from './commands/pause.ts';
import { registerPlan } from './commands/plan.ts';
import { registerResume } from './commands/resume.ts';
import { registerRoles } from './commands/roles.ts';
import { registerRollback } from './commands/rollback.ts';
import { registerRotate } from './commands/rotate.ts';
import { registerSchedule } from './commands/schedule.ts';
import { registerStart } from './commands/start.ts';
import { registerStatus } from './commands/status.ts';
import { registerUrl } from './commands/url.ts';
import { registerValidate } from './commands/validate.ts';
import type { Io } from './io.ts';

export function registerCommands(program: Command, io: Io): void {
  registerStart(program, io);
  registerDemo(program, io);
  registerValidate(program, io);
  registerDoctor(program, io);
  registerPlan(program, io);
  registerRotate(program, io);
  registerStatus(program, io);
  registerHistory(program, io);
  registerSchedule(program, io);
  registerPause(program, io);
  registerResume(program, io);
  registerRollback(program, io);
  registerCancel(program, io);
  registerUrl(program, io);
  registerRoles(program, io);
}

/**
 * Writes on stderr what a command threw. Problems of a configuration are a line each, with their
 * place.
 */
export function writeError(io: Pick<Io, 'stderr'>, thrown: unknown): void {
  const error = firstOf(thrown);
  if (error instanceof ConfigError) {
    for (const problem of error.problems) io.stderr.write(tellProblem(problem));
  } else {
    io.stderr.write(`keyturn: ${tellError(error)}`);
  }
}

/**
 * 0 done, 1 it failed or a finding, 2 usage or configuration, 3 timed out waiting, 130 interrupted.
 */
export function exitCodeOf(thrown: unknown): number {
  const error = firstOf(thrown);
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (isFault(error, 'interrupted')) return 130;
  if (isFault(error, 'policy-unknown') || isWrongRequest(error)) return 2;
  return error instanceof ConfigError ? 2 : 1;
}

/**
 * Where closing fails after a fault, `await using` throws a SuppressedError, which has the fault in
 * `suppressed`.
 */
function firstOf(thrown: unknown): unknown {
  return thrown instanceof Error && 'suppressed' in thrown ? firstOf(thrown.suppressed) : thrown;
}
