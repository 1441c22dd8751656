import pino, { type Logger } from 'pino';
import { visible, visibleJson } from './visible.ts';

export const LOG_LEVELS = [...Object.keys(pino.levels.values), 'silent'];

/** A stream for lines of a log. */
interface Lines {
  write(line: string): unknown;
}

/**
 * Everything in a log is JSON on standard error: standard output is for data. What comes from outside is visible in it, for
 * whoever reads it raw, and for what prints its messages. `level` is one of LOG_LEVELS.
 */
export function openLog(level = 'info', lines: Lines = pino.destination({ dest: 2, sync: true })): Logger {
  return pino(
    {
      name: 'keyturn',
      level,
      // A second line of defence: nothing logs these.
      redact: ['password', '*.password', 'url', '*.url'],
      hooks: {
        logMethod(args, log) {
          const shown = args.map((arg: unknown) => (typeof arg === 'string' ? visible(arg) : arg));
          log.apply(this, shown as typeof args);
        },
      },
      formatters: {
        log: (fields) =>
          Object.fromEntries(
            Object.entries(fields).map(([name, value]) => [
              name,
              typeof value === 'string' ? visible(value) : value,
            ]),
          ),
      },
    },
    { write: (line: string) => lines.write(visibleJson(line)) },
  );
}
