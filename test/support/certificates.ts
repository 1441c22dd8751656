import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

export const haveOpenssl = (process.env.PATH ?? '')
  .split(delimiter)
  .some((folder) => existsSync(join(folder, 'openssl')));

const run = promisify(execFile);

/** PEM texts of a certificate and its key. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export interface Wanted {
  readonly commonName: string;
  /** Such as `DNS:db.internal` or `IP:127.0.0.1`. */
  readonly names?: readonly string[];
  /** As openssl writes instants, `20200101000000Z`; left out: from now on, for two days. */
  readonly from?: string;
  readonly to?: string;
}

/** A CA of a test's own. Disposing of it removes its folder. */
export interface Authority extends AsyncDisposable {
  /** Its certificate, PEM. */
  readonly ca: string;
  issue(wanted: Wanted): Promise<Issued>;
}

// Elliptic keys are made in no time.
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

const CONFIG = `[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = any
unique_subject = no
rand_serial = yes
[any]
commonName = supplied
[req]
distinguished_name = empty
[empty]
[authority]
basicConstraints = critical, CA:TRUE
`;

export async function openAuthority(commonName: string): Promise<Authority> {
  const cwd = await mkdtemp(join(tmpdir(), 'keyturn-ca-'));
  const openssl = (...args: string[]) => run('openssl', args, { cwd });
  const read = (name: string) => readFile(join(cwd, name), 'utf8');
  await writeFile(join(cwd, 'openssl.cnf'), CONFIG);
  await writeFile(join(cwd, 'index.txt'), '');
  await openssl(
    ...['req', '-x509', '-config', 'openssl.cnf', '-extensions', 'authority', '-days', '2'],
    ...[...NEW_KEY, '-subj', `/CN=${commonName}`, '-keyout', 'ca.key', '-out', 'ca.pem'],
  );
  let count = 0;
  let last: Promise<unknown> = Promise.resolve();
  return {
    ca: await read('ca.pem'),
    issue(wanted) {
      // One after the other: an authority numbers what it issues in a file.
      const issued = last.then(() => issue(wanted));
      last = issued.catch(() => {});
      return issued;
    },
    [Symbol.asyncDispose]: async () => {
      await last;
      await rm(cwd, { recursive: true, force: true });
    },
  };

  async function issue({ commonName, names = [], from, to }: Wanted): Promise<Issued> {
    count += 1;
    const file = `${count}`;
    const extensions = names.length > 0 ? `subjectAltName = ${names.join(',')}\n` : '';
    await writeFile(join(cwd, `${file}.ext`), `basicConstraints = CA:FALSE\n${extensions}`);
    await openssl(
      ...['req', '-new', '-config', 'openssl.cnf', ...NEW_KEY, '-subj', `/CN=${commonName}`],
      ...['-keyout', `${file}.key`, '-out', `${file}.csr`],
    );
    const time =
      from === undefined || to === undefined ? ['-days', '2'] : ['-startdate', from, '-enddate', to];
    await openssl(
      ...['ca', '-batch', '-notext', '-config', 'openssl.cnf', '-extfile', `${file}.ext`, ...time],
      ...['-in', `${file}.csr`, '-out', `${file}.pem`],
    );
    return { cert: await read(`${file}.pem`), key: await read(`${file}.key`) };
  }
}

/** A certificate that no CA vouches for; `key` is what openssl needs to make another kind of key and signature. */
export async function selfSigned(commonName: string, key: readonly string[] = NEW_KEY): Promise<Issued> {
  const cwd = await mkdtemp(join(tmpdir(), 'keyturn-self-signed-'));
  try {
    await run(
      'openssl',
      [
        ...['req', '-x509', '-days', '2', ...key, '-subj', `/CN=${commonName}`],
        ...['-addext', `subjectAltName = DNS:${commonName}`, '-keyout', 'key', '-out', 'cert'],
      ],
      { cwd },
    );
    const read = (name: string) => readFile(join(cwd, name), 'utf8');
    return { cert: await read('cert'), key: await read('key') };
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

/** The same key under a passphrase. */
export async function encrypted(key: string): Promise<string> {
  const child = run('openssl', ['pkey', '-aes256', '-passout', 'pass:hunter2']);
  child.child.stdin?.end(key);
  return (await child).stdout;
}
