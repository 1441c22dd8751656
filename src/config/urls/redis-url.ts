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
