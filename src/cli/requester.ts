import { hostname, userInfo } from 'node:os';
import { type Command, Option } from 'commander';
import type { Requester } from '../ledger/audit/requester.ts';
import { reason } from './options/parse-option.ts';

export interface ReasonOption {
  readonly reason?: string;
}

/** Adds `--reason`, for commands that change something. */
export function addReasonOption(command: Command): Command {
  return command.addOption(
    new Option('--reason <text>', 'why, for the history; never a password').argParser(reason('--reason')),
  );
}

/**
 * Who gives a command, for the history: the user by its id, which no environment variable alters.
 */
export function requester(options: ReasonOption = {}): Requester {
  return { requestedBy: accountName(), requestedHost: hostname(), requestedReason: options.reason ?? null };
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container, the user id may have no name.
    return `uid ${process.geteuid?.()}`;
  }
}
