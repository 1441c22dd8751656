import { constants } from 'node:fs';
import { mkdir, open, readlink, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

// What src/secret-store/file/ writes for one rotation of a policy whose two secrets are in one folder, with as many
// fsyncs: five to stage a version, four to promote it. Nothing is looked at and nothing is read back.

async function flush(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  await handle.sync().finally(() => handle.close());
}

async function link(folder: string, name: string, target: string): Promise<void> {
  const draft = join(folder, `..draft-${name}`);
  await symlink(target, draft);
  await rename(draft, join(folder, name));
}

/** Writes a version, and links it as pending. */
export async function stageFiles(
  folder: string,
  token: string,
  fields: Readonly<Record<string, string>>,
): Promise<void> {
  const version = join(folder, `..version-${token}`);
  const draft = `${version}.draft`;
  await mkdir(draft, { recursive: true, mode: 0o700 });
  for (const [name, content] of Object.entries(fields)) {
    const handle = await open(join(draft, name), 'wx', 0o600);
    await handle.writeFile(content);
    await handle.sync().finally(() => handle.close());
  }
  await flush(draft);
  await rename(draft, version);
  await flush(dirname(version));
  await link(folder, '..pending', `..version-${token}`);
  await flush(folder);
}

/** Makes the version current, and the one before it previous; the one before that goes. */
export async function promoteFiles(folder: string, token: string): Promise<void> {
  await flush(folder);
  const [current, previous] = await Promise.all(
    ['..data', '..previous'].map((name) => readlink(join(folder, name)).catch(() => undefined)),
  );
  if (current !== undefined) await link(folder, '..previous', current);
  await flush(folder);
  await link(folder, '..data', `..version-${token}`);
  await flush(folder);
  if (previous !== undefined) await rm(join(folder, previous), { recursive: true, force: true });
  await rm(join(folder, '..pending'));
  await flush(folder);
}
