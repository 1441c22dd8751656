import { constants } from 'node:fs';
import { open, readlink } from 'node:fs/promises';
import { dirname, join, normalize, resolve } from 'node:path';
import { type Credential, credentialOf } from './credential.ts';
import { CredentialError } from './credential-error.ts';
import { type SecretReference, secretReference, valueIn } from './secret-reference.ts';
import type { FileSource, Reader } from './source.ts';

/** How often a read starts over because a rotation published during it. */
const ATTEMPTS = 5;
const VERSION = '..version-';

interface Pair {
  readonly folder: string;
  readonly username: SecretReference;
  readonly password: SecretReference;
}

/**
 * Reads both files of the version that `..data` leads to. The link is resolved once, so a rotation
 * in between cannot mix two versions. A read that was given up is waited for by the next one.
 * https://kubernetes.io/docs/concepts/configuration/secret/#mounted-secrets-are-updated-automatically
 */
export function fileReader({ path, secrets }: FileSource): Reader {
  const username = secretReference(secrets.username);
  const password = secretReference(secrets.password);
  const folder = folderOf(username);
  if (folder !== folderOf(password)) {
    throw new CredentialError('secrets-apart', { username: secrets.username, password: secrets.password });
  }
  const pair = { folder: resolve(path, folder), username, password };
  let reading: Promise<Credential> | undefined;
  return {
    read() {
      // A file system that hangs holds a thread of Node.js for each read, and there are four.
      reading ??= readPair(pair).finally(() => {
        reading = undefined;
      });
      return reading;
    },
    close() {},
  };
}

function folderOf({ secret }: SecretReference): string {
  return normalize(dirname(secret));
}

async function readPair(pair: Pair): Promise<Credential> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const target = await dataOf(pair);
    const folder = target === undefined ? pair.folder : join(pair.folder, target);
    const contents = await readFiles(folder, pair);
    if (contents) return credentialIn(contents, pair, target);
    // A version may be removed while it is read. Where the link is as it was, the file is missing.
    if (target === (await dataOf(pair))) {
      throw new CredentialError('secret-missing', { secret: join(pair.folder, nameOf(pair.password)) });
    }
  }
  throw new CredentialError('source-changing', { source: pair.folder });
}

/** The folder of the current version; undefined where one plain file holds both. */
async function dataOf({ folder, username, password }: Pair): Promise<string | undefined> {
  let target: string;
  try {
    target = await readlink(join(folder, '..data'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw unreadable(join(folder, '..data'), error);
    if (username.secret === password.secret) return undefined;
    throw new CredentialError('folder-without-versions', { folder });
  }
  if (/^\.\.[^/\\]+$/.test(target)) return target;
  throw new CredentialError('link-foreign', { folder });
}

interface Contents {
  readonly username: string;
  readonly password: string;
}

/** Undefined where one of the files is not there. */
async function readFiles(folder: string, pair: Pair): Promise<Contents | undefined> {
  const password = await readFile(join(folder, nameOf(pair.password)));
  if (password === undefined || pair.username.secret === pair.password.secret) {
    return password === undefined ? undefined : { username: password, password };
  }
  const username = await readFile(join(folder, nameOf(pair.username)));
  return username === undefined ? undefined : { username, password };
}

function nameOf({ secret }: SecretReference): string {
  return secret.slice(secret.lastIndexOf('/') + 1);
}

async function readFile(path: string): Promise<string | undefined> {
  // Without O_NONBLOCK, open waits for the writer of a pipe.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  try {
    const file = await open(path, flags);
    // A line end that somebody's editor added is not part of the value.
    return await file
      .readFile('utf8')
      .then((text) => text.replace(/\r?\n$/, ''))
      .finally(() => file.close());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(path, error);
  }
}

function credentialIn(contents: Contents, pair: Pair, target: string | undefined): Credential {
  return credentialOf({
    username: valueIn(contents.username, pair.username),
    password: valueIn(contents.password, pair.password),
    version: target?.startsWith(VERSION) ? target.slice(VERSION.length) : target,
  });
}

/** Node.js names the path and the system's error, never the content of a file. */
function unreadable(path: string, cause: unknown): CredentialError {
  const { code: errno = 'unknown' } = cause as NodeJS.ErrnoException;
  return new CredentialError('file-unreadable', { path, errno }, { cause });
}
