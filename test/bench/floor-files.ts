import {
  closeSync,
  constants,
  fsync,
  mkdirSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

// What src/secret-store/file/ writes for one rotation of a policy whose two secrets are in one folder, with as many
// fsyncs: five to stage a version, four to promote it. Nothing is looked at and nothing is read back. As there, only
// fsync is awaited.

const sync = promisify(fsync);

async function flushAndClose(file: number): Promise<void> {
  await sync(file).finally(() => closeSync(file));
}

function flush(folder: string): Promise<void> {
  return flushAndClose(openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY));
}

function link(folder: string, name: string, target: string): void {
  const draft = join(folder, `..draft-${name}`);
  symlinkSync(target, draft);
  renameSync(draft, join(folder, name));
}

function targetOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Writes a version, and links it as pending. */
export async function stageFiles(
  folder: string,
  token: string,
  fields: Readonly<Record<string, string>>,
): Promise<void> {
  const version = join(folder, `..version-${token}`);
  const draft = `${version}.draft`;
  mkdirSync(draft, { recursive: true, mode: 0o700 });
  for (const [name, content] of Object.entries(fields)) {
    const file = openSync(join(draft, name), 'wx', 0o600);
    writeSync(file, content);
    await flushAndClose(file);
  }
  await flush(draft);
  renameSync(draft, version);
  await flush(dirname(version));
  link(folder, '..pending', `..version-${token}`);
  await flush(folder);
}

/** Makes the version current, and the one before it previous; the one before that goes. */
export async function promoteFiles(folder: string, token: string): Promise<void> {
  await flush(folder);
  const [current, previous] = ['..data', '..previous'].map((name) => targetOf(join(folder, name)));
  if (current !== undefined) link(folder, '..previous', current);
  await flush(folder);
  link(folder, '..data', `..version-${token}`);
  await flush(folder);
  if (previous !== undefined) rmSync(join(folder, previous), { recursive: true, force: true });
  rmSync(join(folder, '..pending'));
  await flush(folder);
}
