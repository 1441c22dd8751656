import type { LoginsContext } from './context/rotation-context.ts';
import type { Turn } from './findings/login-findings.ts';

/**
 * What `check` may let pass: faults of the outgoing login, and in an emergency mere differences.
 */
export async function turnOf(context: LoginsContext): Promise<Turn> {
  const { policy, rotation, destinations } = context;
  const emergency = rotation.reason === 'emergency';
  const published = (await context.read(destinations[0], 'current'))?.fields.username;
  const isOurs = published !== undefined && policy.logins.includes(published);
  return { emergency, outgoing: rotation.outgoing ?? (isOurs ? published : undefined) };
}
