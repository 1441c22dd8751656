import { dirname, join } from 'node:path';
import type { App } from '../../../app.ts';
import type { Database } from '../../../config/config.ts';
import { FIELDS, type Field, type Mapping, type SecretName } from '../../../config/policy.ts';
import { parseSecretName } from '../../../config/schema/policy-schema.ts';
import { suggested } from '../../../config/schema/report-issue.ts';
import type { Store } from '../../../config/stores.ts';
import { isSecretName } from '../../../config/values/physical-secret.ts';
import { fault } from '../../../facts/fault.ts';
import { command } from '../../../facts/remedy.ts';
import { READABLE_FORMATS } from '../../../formats/formats.ts';
import { type Credential, credentialIn } from '../../../formats/told-by.ts';
import { loginUrl } from '../../../rotation/context/login-fields.ts';
import { openStore } from '../../../secret-store/open-store.ts';
import type { Values } from './child-environment.ts';
import { placeOf, sslmodeOf } from './place.ts';

/** Where the credential is, as the command line says it. */
export interface Source {
  readonly policy: string | undefined;
  readonly store: string | undefined;
  readonly secrets: readonly string[] | undefined;
}

/** The credential of a program, in its store. */
export interface Published extends AsyncDisposable {
  /** What is current now. Throws where nothing is published, and what the store throws. */
  read(): Promise<Values>;
  /** The folders of a file store in which a new version appears. */
  readonly folders: readonly string[];
}

interface Found {
  readonly store: Store;
  readonly mapping: Mapping;
  readonly policy?: string;
  /** Where the database is; left out: only the store may say it. */
  readonly place?: Omit<Database, 'user'>;
  /** Of the connection of the policy. */
  readonly sslmode?: string;
}

/** Opens the store. It reads nothing yet, and asks neither the ledger nor a server. */
export async function openPublished(app: App, cwd: string, source: Source): Promise<Published> {
  const { store: settings, mapping, policy, place, sslmode } = await find(app, cwd, source);
  const store = openStore(settings);
  const secrets = [...new Set(Object.values(mapping).map(({ secret }) => secret))];
  return {
    folders:
      settings.type === 'file' ? [...new Set(secrets.map((name) => dirname(join(settings.path, name))))] : [],
    async read() {
      const fields = (await store.read(mapping, 'current'))?.fields ?? {};
      // A format such as a URL tells both.
      const credential = credentialIn(fields);
      if (credential !== undefined) {
        const known = place ? valuesOf(place, credential) : {};
        return { ...(sslmode ? { sslmode } : {}), ...known, ...fields, ...credential };
      }
      if (policy === undefined) throw fault('exec-not-published', { store: settings.name, secrets });
      throw fault('nothing-published', { policy }, { remedies: [command('rotate', policy)] });
    },
    [Symbol.asyncDispose]: () => store.close(),
  };
}

async function find(app: App, cwd: string, source: Source): Promise<Found> {
  if (source.policy === undefined) return findInStore(app, source);
  if (source.secrets !== undefined) throw fault('exec-source-unclear', {});
  const policy = app.policy(source.policy);
  if (source.store !== undefined) storeNamed(app, source.store);
  const destination = policy.publish.find(
    ({ store }) => source.store === undefined || store === source.store,
  );
  if (destination === undefined) {
    const published = policy.publish.map(({ store }) => store);
    throw fault('exec-policy-not-in-store', { policy: policy.name, store: String(source.store), published });
  }
  const store = storeNamed(app, destination.store);
  const connection = app.config.connections.get(policy.connection);
  const place = await placeOf(connection, cwd);
  return {
    store,
    mapping: destination.secrets,
    policy: policy.name,
    ...(place ? { place } : {}),
    ...(connection ? { sslmode: sslmodeOf(connection) } : {}),
  };
}

function findInStore(app: App, { store: name, secrets }: Source): Found {
  if (name === undefined || secrets === undefined) throw fault('exec-source-unclear', {});
  const store = storeNamed(app, name);
  const mapping = Object.fromEntries(secrets.map((given) => parseField(store, given)));
  const missing = (['username', 'password'] as const).filter((field) => !(field in mapping));
  const isWhole = READABLE_FORMATS.some((format) => format in mapping);
  if (missing.length > 0 && !isWhole) throw fault('exec-fields-missing', { missing });
  return { store, mapping };
}

function storeNamed({ config }: App, store: string): Store {
  const found = config.stores.get(store);
  if (found) return found;
  const known = [...config.stores.keys()];
  throw fault('exec-store-unknown', { store, known, ...suggested(store, known) });
}

/** `field=name`, or `field=name#key`. */
function parseField(store: Store, given: string): [Field, SecretName] {
  const [, name = '', text = ''] = /^\s*([^=\s]+)\s*=\s*(\S.*?)\s*$/.exec(given) ?? [];
  if (text === '') throw fault('exec-secrets-malformed', { given });
  const field = FIELDS.find((known) => known === name);
  if (field === undefined) {
    const known = [...FIELDS];
    throw fault('exec-field-unknown', { given: name, known, ...suggested(name, known) });
  }
  const secret = parseSecretName(text);
  if (isSecretName(store, secret.secret)) return [field, secret];
  throw fault('exec-secret-name-invalid', { store: store.name, secret: secret.secret });
}

function valuesOf(place: Omit<Database, 'user'>, credential: Credential): Values {
  const { host, port, database, tls } = place;
  const url = loginUrl({ ...place, name: '', user: credential.username }, credential);
  return { host, port: String(port), database, sslmode: tls.mode, url };
}
