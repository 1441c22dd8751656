import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';

/** A kubeconfig of one cluster, user and context. Disposing of it removes its folder. */
export async function writeKubeconfig(
  server: string,
  {
    user = { tokenFile: 'token' },
    cluster = {},
    token = 'token-1',
  }: { readonly user?: object; readonly cluster?: object; readonly token?: string } = {},
): Promise<AsyncDisposable & { readonly path: string; setToken(token: string): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-kubeconfig-'));
  const path = join(folder, 'config');
  const setToken = (text: string) => writeFile(join(folder, 'token'), `${text}\n`, { mode: 0o600 });
  await setToken(token);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'c', cluster: { server, ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'test', context: { cluster: 'c', user: 'u', namespace: 'orders' } }],
  };
  await writeFile(path, stringify(config), { mode: 0o600 });
  return { path, setToken, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
