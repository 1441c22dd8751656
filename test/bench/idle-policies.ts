import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inParallel } from './measure.ts';
import { loginsOf, PASSWORD, type Place } from './place.ts';

const PARALLEL = 32;

/**
 * Plain files for every policy, as though somebody had put them there: so each publishes something
 * and is not due its first rotation. The logins need not exist, since nothing is rotated.
 */
export async function publishByHand({ workspace, policies }: Place): Promise<void> {
  await inParallel(policies.length, PARALLEL, async (index) => {
    const policy = policies[index] ?? '';
    const folder = join(workspace.folder, 'secrets', policy);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(join(folder, 'username'), loginsOf(policy)[0], { mode: 0o600 });
    await writeFile(join(folder, 'password'), PASSWORD, { mode: 0o600 });
  });
}
