import pino, { type Logger } from 'pino';
import { visible, visibleJson } from './visible.ts';

export const LOG_LEVELS = [...Object.keys(pino.levels.values), 'silent'];

/** A stream for lines of a log. */
interface Lines {
  write(line: string): unknown;
}

/**
 * Opens the log: lines of JSON on standard error, because standard output is for data. `level` is
 * one of LOG_LEVELS. Invisible characters are escaped twice: in the JSON, for people who read it
 * raw, and in its texts, for tools that print those.
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
        log: visibleFields,
      },
    },
    { write: (line: string) => lines.write(visibleJson(line)) },
  );
}

/**
 * The same fields with invisible characters escaped in all texts, also deep in a fact's parameters.
 */
function visibleFields(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, visibleValue(value)]));
}

function visibleValue(value: unknown): unknown {
  if (typeof value === 'string') return visible(value);
  if (Array.isArray(value)) return value.map(visibleValue);
  const isPlain =
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isPlain ? visibleFields(value as Record<string, unknown>) : value;
}
