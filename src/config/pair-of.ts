import type { Policy } from './policy.ts';

/** The two logins of a policy that has two. Throws for a rotator's, which no step of theirs may come near. */
export function pairOf({ name, logins }: Policy): readonly [string, string] {
  const [one, other] = logins;
  if (other === undefined) throw new Error(`Policy ${name} is a rotator's and has one login`);
  return [one, other];
}

/** The login of a pair that is not this one. */
export function otherOf([one, other]: readonly [string, string], login: string): string {
  return login === one ? other : one;
}
