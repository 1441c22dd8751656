export const REDIS_URL_RULE =
  'a URL such as redis://user:password@host:6379/0 or rediss://…, and in it @ as %40, / as %2F, : as %3A, ? as %3F, # as %23, % as %25 and a space as %20';

// A second @, or a # or / too early, would have the rest of a password read as a host, which messages name.
const SHAPE =
  /^rediss?:\/\/(?:[^@/?#\s]*@)?(?:\[[^\]@/?#\s]+\]|[^@/?#:[\]\s]+)(?::\d*)?(?:\/\d*)?(?:\?[^@/?#\s]*)?$/;

/** Whether the client of Redis reads a URL as whoever wrote it meant it. */
export function isRedisUrl(text: string): boolean {
  if (!SHAPE.test(text)) return false;
  try {
    const { username, password } = new URL(text);
    for (const part of [username, password]) decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}
