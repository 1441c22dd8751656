import type { LoginsContext } from './context/rotation-context.ts';
import type { Turn } from './findings/login-findings.ts';

/** What `check` may let pass: what is wrong with the login that goes out, and in an emergency what only differs. */
export async function turnOf(context: LoginsContext): Promise<Turn> {
  const { policy, rotation, destinations } = context;
  const emergency = rotation.reason === 'emergency';
  const published = (await context.read(destinations[0], 'current'))?.fields.username;
  const isOurs = published !== undefined && policy.logins.includes(published);
  return { emergency, outgoing: rotation.outgoing ?? (isOurs ? published : undefined) };
}
