import { userInfo } from 'node:os';
import type { Io } from './io.ts';

/** Who gives a command, for the history: the person behind a sudo. */
export function requester({ env }: Io): string {
  return env.SUDO_USER ?? env.USER ?? env.LOGNAME ?? accountName();
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user id that has no name.
    return `uid ${process.getuid?.()}`;
  }
}
