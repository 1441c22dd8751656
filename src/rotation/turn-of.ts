import { usernameIn } from '../formats/told-by.ts';
import type { LoginsPreview } from './context/rotation-view.ts';
import type { Turn } from './findings/login-findings.ts';

/**
 * What `check` may let pass: faults of the outgoing login, and in an emergency mere differences.
 */
export async function turnOf(preview: LoginsPreview): Promise<Turn> {
  const { policy, rotation, reason, destinations } = preview;
  const emergency = reason === 'emergency';
  const published = usernameIn((await preview.read(destinations[0], 'current'))?.fields ?? {});
  const isOurs = published !== undefined && policy.logins.includes(published);
  return { emergency, outgoing: rotation?.outgoing ?? (isOurs ? published : undefined) };
}
