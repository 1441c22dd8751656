/**
 * Whether a text may hold a password: a URL or a piece of one with a user, or `password=…`. What is
 * written in a wrong place must not be repeated by the message about it.
 */
export function isCredentialLike(text: string): boolean {
  return /:.*@/s.test(text) || /(passw\w*|pwd)\s*[=:]|(secret|token)\s*=/i.test(text);
}

/** A key, file or argument as messages may show it. */
export function shownName(name: string): string {
  return isCredentialLike(name) ? '…' : name;
}
