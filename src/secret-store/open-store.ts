import type { Store } from '../config/stores.ts';
import { openAwsParameterStore } from './aws-parameter-store/aws-parameter-store.ts';
import { openAwsSecretsManagerStore } from './aws-secrets-manager/aws-secrets-manager-store.ts';
import { openFileStore } from './file/file-store.ts';
import { openKubernetesStore } from './kubernetes/kubernetes-store.ts';
import { openModuleStore } from './module/module-store.ts';
import type { SecretStore } from './secret-store.ts';
import { openVaultStore } from './vault/vault-store.ts';

/** Opens a configured store by its type. Nothing is contacted before the first verb. */
export function openStore(store: Store): SecretStore {
  switch (store.type) {
    case 'file':
      return openFileStore(store);
    case 'aws-secrets-manager':
      return openAwsSecretsManagerStore(store);
    case 'aws-parameter-store':
      return openAwsParameterStore(store);
    case 'vault':
      return openVaultStore(store);
    case 'kubernetes':
      return openKubernetesStore(store);
    case 'module':
      return openModuleStore(store);
  }
}
