import { ConfigError, renderPath } from '../../../config/config-error.ts';
import type { Policy } from '../../../config/policy.ts';
import { fault } from '../../../facts/fault.ts';

/**
 * What `attach` threw while it edited, told of the options: the new entry is in no file yet, so its
 * line and column would lead nowhere. Any other error as it is.
 */
export function ofOptions({ name, publish }: Policy, error: unknown): unknown {
  if (!(error instanceof ConfigError)) return error;
  const entry = renderPath(['policies', name, 'publish', publish.length]);
  const { problems } = error;
  if (!problems.every(({ path }) => path.startsWith(entry))) return error;
  return fault(
    'attachment-not-valid',
    {
      problems: problems.map(({ path, fact }) => ({
        option: path.startsWith(`${entry}.store`) ? ('--store' as const) : ('--secrets' as const),
        fact,
      })),
    },
    { cause: error },
  );
}
