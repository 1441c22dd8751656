import pino, { type Logger } from 'pino';

export const LOG_LEVELS = [...Object.keys(pino.levels.values), 'silent'];

/** Everything in a log is JSON on standard error: standard output is for data. `level` is one of LOG_LEVELS. */
export function openLog(level = 'info'): Logger {
  return pino(
    {
      name: 'keyturn',
      level,
      // A second line of defence: nothing logs these.
      redact: ['password', '*.password', 'url', '*.url'],
    },
    pino.destination({ dest: 2, sync: true }),
  );
}
