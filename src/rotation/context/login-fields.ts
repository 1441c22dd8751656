import type { Connection } from '../../config/config.ts';
import type { Destination, Field, Policy } from '../../config/policy.ts';
import { fault } from '../../facts/fault.ts';
import { FORMAT_FIELDS, FORMATS } from '../../formats/formats.ts';
import type { Login } from '../../formats/login.ts';
import { loginPlace } from '../../formats/login-place.ts';
import type { Credential } from '../../formats/told-by.ts';
import { url } from '../../formats/url.ts';
import { userlistLine } from '../../formats/userlist.ts';
import { versionVerifier } from '../../postgres/logins/scram-verifier.ts';
import type { Fields } from '../../secret-store/secret-store.ts';

/** What a version is written from, besides the credential. */
interface Written {
  readonly policy: Pick<Policy, 'name'>;
  readonly connection: Connection;
  readonly destination: Pick<Destination, 'secrets' | 'format'>;
  /** The version's. */
  readonly token: string;
  /** What the destination publishes now, whose login consumers may use for a while. */
  readonly before?: Fields | undefined;
}

/**
 * What a destination publishes of a login: a value for each field that its mapping names. Throws a
 * fault `field-not-expressible` where a format cannot hold it.
 */
export function loginFields(written: Written, credential: Credential): Fields {
  const { connection, destination } = written;
  const login = loginOf(written, credential);
  const plain: Partial<Record<Field, string>> = {
    ...credential,
    host: connection.host,
    port: String(connection.port),
    database: connection.database,
    engine: 'postgres',
  };
  const formatted = FORMAT_FIELDS.filter((field) => field in destination.secrets).map((field) => {
    const refused = FORMATS[field].refuse(login);
    if (refused) throw fault('field-not-expressible', { field, ...refused });
    return [field, FORMATS[field].write(login)] as const;
  });
  const all: Fields = { ...plain, ...Object.fromEntries(formatted) };
  return Object.fromEntries(Object.entries(all).filter(([field]) => field in destination.secrets));
}

function loginOf(
  { policy, connection, destination: { secrets, format = {} }, token, before }: Written,
  credential: Credential,
): Login {
  const line = userlistLine(before?.userlist ?? '', credential.username);
  return {
    ...credential,
    ...loginPlace(connection),
    ...(format.sslrootcert === undefined ? {} : { sslrootcert: format.sslrootcert }),
    service: format.service ?? policy.name,
    verifier: secrets.userlist ? versionVerifier(credential, token) : '',
    plain: format.userlist === 'plain',
    ...(line === undefined ? {} : { before: line }),
  };
}

/**
 * A libpq URL of a login, with the sslmode that keyturn itself uses. Not with its certificates:
 * they are paths of this machine.
 */
export function loginUrl(connection: Connection, credential: Credential): string {
  return url.write({ ...credential, ...loginPlace(connection), service: '', verifier: '', plain: false });
}
