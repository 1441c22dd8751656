import { fact } from '../../facts/fact.ts';
import { command } from '../../facts/remedy.ts';
import type { Preview } from '../context/rotation-view.ts';
import { outsideChangeFact, outsideChanges } from '../outside-changes/outside-changes.ts';
import { type Finding, finding } from './finding.ts';

/**
 * What somebody else changed in the stores: in one finding all at which a rotation stops unless it
 * adopts them, and the rest.
 */
export async function outsideFindings(preview: Preview): Promise<Finding[]> {
  const { policy, rotation, reason } = preview;
  const changes = await outsideChanges(preview);
  const stops = rotation?.adopt ? [] : changes.filter(({ stops }) => stops);
  const rest = changes.filter((change) => !stops.includes(change));
  const findings = rest.map((change) => finding('warn', 'published', outsideChangeFact(change)));
  if (stops.length === 0) return findings;
  const emergency = reason === 'emergency' ? ['--emergency'] : [];
  const stop = fact(
    'outside-changes-stop',
    { changes: stops.map(({ found, effect }) => ({ found, effect })) },
    command('rotate', policy.name, ...emergency, '--adopt'),
  );
  return [finding('fail', 'published', stop), ...findings];
}
