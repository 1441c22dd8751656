import type { ConfigEditFacts } from './config/config-edit-facts.ts';
import type { ConfigEntryFacts } from './config/config-entry-facts.ts';
import type { ConfigFileFacts } from './config/config-file-facts.ts';
import type { ConfigPolicyFacts } from './config/config-policy-facts.ts';
import type { ConfigServerFacts } from './config/config-server-facts.ts';
import type { ConfigSinkFacts } from './config/config-sink-facts.ts';
import type { ConfigUrlFacts } from './config/config-url-facts.ts';
import type { Problem } from './problem.ts';

/** About what is wrong with a configuration. */
export interface ConfigFacts
  extends ConfigEditFacts,
    ConfigEntryFacts,
    ConfigFileFacts,
    ConfigPolicyFacts,
    ConfigServerFacts,
    ConfigSinkFacts,
    ConfigUrlFacts {
  readonly 'config-invalid': { readonly problems: readonly Problem[] };
  readonly 'config-reloaded': { readonly policies: number };
  /** The configuration in force stays. */
  readonly 'config-reload-refused': { readonly problems: readonly Problem[] };
  /** Another state database or queue takes effect at the next start. */
  readonly 'config-restart-needed': { readonly keys: readonly ('state' | 'queue')[] };
  /** Somebody asked for a policy that the configuration does not have. */
  readonly 'policy-unknown': {
    readonly name: string;
    readonly near?: string;
    readonly known: readonly string[];
  };
}
