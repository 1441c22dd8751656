// With a second @, or a # or / too early, the rest of a password would be read as the host,
// and messages name the host.
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
