/** The login of a pair that is not this one. */
export function otherOf([one, other]: readonly [string, string], login: string): string {
  return login === one ? other : one;
}
