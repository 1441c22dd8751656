import type { RotationContext } from '../context/rotation-context.ts';
import { outsideChanges } from '../outside-changes/outside-changes.ts';
import type { Finding } from './finding.ts';

/** What somebody else changed in the stores: in one finding all at which a rotation stops unless it adopts them, and the rest. */
export async function outsideFindings(context: RotationContext): Promise<Finding[]> {
  const { policy, rotation } = context;
  const changes = await outsideChanges(context);
  const stops = rotation.adopt ? [] : changes.filter(({ instead }) => instead !== null);
  const rest = changes.filter((change) => !stops.includes(change));
  const command = `keyturn rotate ${policy.name}${rotation.reason === 'emergency' ? ' --emergency' : ''} --adopt`;
  return [
    ...(stops.length === 0
      ? []
      : [
          {
            level: 'fail',
            about: 'published',
            text: stops.map(({ found }) => found).join('; '),
            remedy: `${stops.map(({ instead }) => instead).join('; ')}; or take it over, which ${stops.map(({ effect }) => effect).join(' and ')}: ${command}`,
          } as const,
        ]),
    ...rest.map(
      ({ found, effect }) => ({ level: 'warn', about: 'published', text: `${found}; ${effect}` }) as const,
    ),
  ];
}
