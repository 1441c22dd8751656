import pino, { type Logger } from 'pino';

/** Everything in a log is JSON on standard error: standard output is for data. `level` as pino has them. */
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
