import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../../config/values/duration.ts';

/** Parses an option such as `10m` to milliseconds. */
export function duration(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) throw new InvalidArgumentError('a duration such as 90s, 10m or 2h');
  return milliseconds;
}
